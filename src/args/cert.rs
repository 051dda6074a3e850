//! `cert`: a certificate to try TLS with, and its key. Knows no socket.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use argh::{ArgsInfo, FromArgs};
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// Make a certificate to try TLS with, cert.pem, and its key, key.pem. Nobody has signed it but its own key: clients have to be
/// given it (--ca cert.pem).
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "{command_name} --self-signed .",
    example = "{command_name} --self-signed . --name chat.example.org",
    error_code(0, "made"),
    error_code(1, "a file is there already, or cannot be written"),
    error_code(2, "usage error")
)]
pub(crate) struct CertArgs {
    /// directory for the two files, which must not exist; it is made if there is none
    #[argh(option, arg_name = "DIR")]
    self_signed: String,
    /// name or address that clients connect to; may be repeated (localhost, 127.0.0.1 and ::1)
    #[argh(option, arg_name = "NAME")]
    name: Vec<String>,
}

impl CertArgs {
    /// Makes the two files. Answers what to say.
    ///
    /// # Errors
    /// One sentence; then there are none, or the one that could not be written is incomplete.
    pub(crate) fn make(&self) -> Result<String, String> {
        let names = match &*self.name {
            [] => ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            names => names.to_vec(),
        };
        let made = generate_simple_self_signed(names).map_err(|error| format!("can't make a certificate: {error}"))?;
        let CertifiedKey { cert, signing_key } = made;
        let directory = Path::new(&self.self_signed);
        let [key_path, cert_path] = ["key.pem", "cert.pem"].map(|name| directory.join(name));
        if !directory.exists() {
            fs::create_dir(directory).map_err(|error| format!("can't make {}: {error}", directory.display()))?;
        }
        if cert_path.exists() {
            return Err(format!("{} exists", cert_path.display()));
        }
        write(&key_path, 0o600, &signing_key.serialize_pem())?;
        write(&cert_path, 0o644, &cert.pem())?;
        Ok(format!("{}\n{}\n", cert_path.display(), key_path.display()))
    }
}

/// Writes a new file.
fn write(path: &Path, mode: u32, text: &str) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} exists", path.display()),
        _ => format!("can't write {}: {error}", path.display()),
    })
}
