//! TLS for the client: whom to trust, and a connection that looks like a plain one. A thread passes on what is said, so that the
//! rest of the client reads, writes, polls and closes a socket as it is.

mod relay;

use std::{env, fs, io, net::TcpStream, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

/// Where systems keep the roots that they trust: Debian and Alpine, Fedora, SUSE. A crate that knows more places, for other
/// systems than Linux, would be two.
const ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// Trusts servers with a certificate that leads to one in the file `ca`; without that, to the system's roots, or to those in
/// `SSL_CERT_FILE`, as for other programs.
///
/// # Errors
/// One sentence, where there are none.
pub(super) fn verified(ca: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let variable = env::var("SSL_CERT_FILE").ok().filter(|path| !path.is_empty());
    let found = || ROOTS.into_iter().find(|path| Path::new(path).exists()).map(str::to_owned);
    let path = ca.map(str::to_owned).or(variable).or_else(found);
    let path = path.ok_or("this system has no certificates to trust (package ca-certificates); give --ca FILE")?;
    let bytes = fs::read(&path).map_err(|error| format!("can't read {path}: {error}"))?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok);
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(format!("{path} has no certificate in PEM"));
    }
    Ok(Arc::new(builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Trusts anybody.
pub(super) fn unverified() -> Arc<ClientConfig> {
    let verifier = Arc::new(Unverified(ring::default_provider()));
    Arc::new(builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has what both versions need")
}

/// Shakes hands with the server, and begins to pass on what is said.
///
/// # Errors
/// The server is not the one that is called by this name, or speaks no TLS.
pub(super) fn begin(host: &str, mut tcp: TcpStream, config: Arc<ClientConfig>) -> io::Result<TcpStream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    relay::start(tcp, tls)
}

/// Why TLS has failed, if that is why there is no connection.
pub(super) fn why_not(error: &io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidMessage(_) => Some("the server speaks no TLS there".to_owned()),
        // The second of two that are called the same, as those of `pipechat cert` are.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Some("its certificate leads to none that is trusted; --ca FILE names one to trust".to_owned())
        }
        error => Some(error.to_string()),
    }
}

/// Whoever the server is, it is taken.
#[derive(Debug)]
struct Unverified(CryptoProvider);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
