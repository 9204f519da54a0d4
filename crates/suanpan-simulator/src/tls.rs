//! A second port, which speaks TLS: there a refund of APIv2 shows the merchant's certificate, as it must with WeChat.
//!
//! WeChat's web server asks everybody for a certificate and needs none, save under
//! `/secapi/`. So does this one. Each merchant's certificate is known to the byte,
//! so no chain is checked; the handshake proves who has the key.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use suanpan_wechat::MchId;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    self, CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};
use tokio_rustls::server::TlsStream;

use crate::credentials::Credentials;
use crate::{Error, files};

/// Whose certificate a connection shows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Shown {
    /// It is plain http, where nobody can show one.
    #[default]
    Plain,
    /// None.
    Nobody,
    /// This merchant's, and its key was proven.
    Merchant(MchId),
}

/// The port. Handshakes go on beside each other, so that a silent caller holds up nobody.
pub(crate) struct Port {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    merchants: Arc<Merchants>,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, Peer)>>,
}

/// The merchants by their certificates, as DER.
type Merchants = BTreeMap<Vec<u8>, MchId>;

/// Who called, and what they showed.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    address: SocketAddr,
    shown: Shown,
}

impl Port {
    /// A port with a certificate of its own, which `DIR/tls/ca.pem` vouches for.
    pub(crate) fn new(
        listener: TcpListener,
        data: &Path,
        credentials: &Credentials,
    ) -> Result<Self, Error> {
        let merchants = Arc::new(merchants(credentials)?);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let known = Known { merchants: Arc::clone(&merchants), provider: Arc::clone(&provider) };
        let (certificate, key) = certificate(data)?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_client_cert_verifier(Arc::new(known))
            .with_single_cert(vec![certificate], key)
            .map_err(failed)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { listener, acceptor, merchants, handshakes: JoinSet::new() })
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Listener for Port {
    type Addr = Peer;
    type Io = TlsStream<TcpStream>;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(shaken) = self.handshakes.join_next() => {
                    if let Ok(Some(accepted)) = shaken {
                        return accepted;
                    }
                }
                (socket, address) = Listener::accept(&mut self.listener) => {
                    let (acceptor, merchants) = (self.acceptor.clone(), Arc::clone(&self.merchants));
                    self.handshakes.spawn(async move {
                        let stream = acceptor.accept(socket).await.ok()?;
                        let shown = stream.get_ref().1.peer_certificates();
                        let shown = shown.and_then(|chain| merchants.get(chain.first()?.as_ref()));
                        let shown = shown.cloned().map_or(Shown::Nobody, Shown::Merchant);
                        Some((stream, Peer { address, shown }))
                    });
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Peer { address: self.listener.local_addr()?, shown: Shown::Nobody })
    }
}

impl Connected<IncomingStream<'_, Port>> for Shown {
    fn connect_info(stream: IncomingStream<'_, Port>) -> Self {
        let Peer { address, shown } = stream.remote_addr();
        tracing::debug!(%address, ?shown, "a connection over TLS");
        shown.clone()
    }
}

/// Takes a certificate that is a merchant's, or none.
#[derive(Debug)]
struct Known {
    merchants: Arc<Merchants>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Known {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if self.merchants.contains_key(end_entity.as_ref()) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `DIR/tls/ca.pem`: whoever trusts it can talk to the port.
pub(crate) fn ca_path(data: &Path) -> PathBuf {
    crate::credentials::path(data).with_file_name("tls").join("ca.pem")
}

fn merchants(credentials: &Credentials) -> Result<Merchants, Error> {
    let merchants = credentials.merchants.iter().map(|entry| {
        let pem = files::read(&entry.merchant_certificate)?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(failed)?;
        Ok((der.to_vec(), MchId::parse(&entry.mchid).map_err(failed)?))
    });
    merchants.collect()
}

/// New at each start, and valid whatever the machine's clock says: nobody relies on it.
fn certificate(data: &Path) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Error> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "Suanpan simulator");
    let ca_key = KeyPair::generate().map_err(failed)?;
    let pem = ca.self_signed(&ca_key).map_err(failed)?.pem();
    let path = ca_path(data);
    if let Some(folder) = path.parent() {
        files::make_folder(folder)?;
    }
    files::write_private(&path, pem.as_bytes())?;

    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let key = KeyPair::generate().map_err(failed)?;
    let params = CertificateParams::new(names).map_err(failed)?;
    let made = params.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).map_err(failed)?;
    Ok((made.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

fn failed(cause: impl ToString) -> Error {
    Error::Key { what: "TLS certificate", why: cause.to_string() }
}
