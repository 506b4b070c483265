//! How a `postgres:` URL asks for encryption, in libpq's words: `sslmode` and `sslrootcert`.

use crate::error::{Error, Result};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use std::sync::Arc;
use tokio_postgres::{Config, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The connection that the URL in `variable` describes. `prefer` and `require` encrypt without asking who answers, as libpq does;
/// `verify-ca` and `verify-full` both check the certificate and its name, against `sslrootcert` or the public roots.
pub(super) fn configure(variable: &str, url: &str) -> Result<(Config, MakeRustlsConnect)> {
    let invalid = |what: &str| Error::bad_request(format!("{variable}: {what}"));
    let mut url = url::Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for (name, value) in url.query_pairs() {
        match &*name {
            "sslmode" => mode = Some(value.into_owned()),
            "sslrootcert" => roots = Some(value.into_owned()),
            _ => rest.push((name.into_owned(), value.into_owned())),
        }
    }
    url.set_query(None);
    if !rest.is_empty() {
        url.query_pairs_mut().extend_pairs(rest);
    }
    let mut config: Config =
        url.as_str().parse().map_err(|error: tokio_postgres::Error| invalid(&error.to_string()))?;
    let (ssl_mode, verify) = match mode.as_deref() {
        Some("disable") => (SslMode::Disable, false),
        None | Some("prefer" | "allow") => (SslMode::Prefer, false),
        Some("require") => (SslMode::Require, false),
        Some("verify-ca" | "verify-full") => (SslMode::Require, true),
        Some(other) => {
            return Err(invalid(&format!("sslmode={other} is none of disable, prefer, require, verify-full")));
        }
    };
    config.ssl_mode(ssl_mode);
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?;
    let client = if verify || roots.is_some() {
        let mut store = RootCertStore::empty();
        match roots {
            Some(path) => {
                let unreadable = |error: &dyn std::fmt::Display| invalid(&format!("sslrootcert {path}: {error}"));
                for certificate in CertificateDer::pem_file_iter(&path).map_err(|error| unreadable(&error))? {
                    let certificate = certificate.map_err(|error| unreadable(&error))?;
                    store.add(certificate).map_err(|error| unreadable(&error))?;
                }
            }
            None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        builder.with_root_certificates(store).with_no_client_auth()
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))).with_no_client_auth()
    };
    Ok((config, MakeRustlsConnect::new(client)))
}

/// Takes any certificate: `sslmode=require` asks for encryption alone.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_is_read_in_libpqs_words() {
        for (mode, expected) in
            [("disable", SslMode::Disable), ("prefer", SslMode::Prefer), ("verify-full", SslMode::Require)]
        {
            let (config, _) =
                configure("DATABASE_URL", &format!("postgres://u:p@h:5433/d?sslmode={mode}&connect_timeout=3"))
                    .unwrap();
            assert_eq!(config.get_ssl_mode(), expected);
            assert_eq!(config.get_ports(), [5433]);
        }
        let error = configure("DATABASE_URL", "postgres://u@h/d?sslmode=sometimes").err().unwrap();
        assert!(error.message.contains("sslmode=sometimes"), "{error}");
    }
}
