//! The certificate and its key, from files. Knows no connection.

use std::{path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::config::TlsFiles;

/// What TLS needs, for TLS 1.2 and 1.3.
///
/// # Errors
/// One sentence, where a file can't be read, or the key is not that of the certificate.
pub(in crate::net) fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, String> {
    let cannot = |path: &Path, why: &dyn std::fmt::Display| format!("can't read {}: {why}", path.display());
    let certificates = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| cannot(&files.cert, &error))?;
    if certificates.is_empty() {
        return Err(cannot(&files.cert, &"it has no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| cannot(&files.key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
        .map_err(|error| format!("can't use {} with {}: {error}", files.cert.display(), files.key.display()))?;
    Ok(Arc::new(config))
}
