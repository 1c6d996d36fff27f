use rustls::{CertificateError, Error};

/// For an authority that this machine does not know.
const UNKNOWN: &str = "set SSL_CERT_FILE to a PEM file that also has the certificate of the authority that issued it, \
     such as your company's, or add that to the system's certificates";
/// For a certificate that is not of this time.
const TIME: &str = "look whether the clock of this machine is right";
/// For a certificate of another host.
const NAME: &str =
    "look whether HF_ENDPOINT is right, and whether a proxy or a login page answers instead";

/// What is wrong with the certificate of whoever answered, and what to do, if that is why there is no answer. Asking again would not help.
pub(crate) fn refused(error: &ureq::Error) -> Option<(String, &'static str)> {
    let error = tls_error(error)?;
    let Error::InvalidCertificate(problem) = error else {
        return None;
    };
    let cure = match problem {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TIME,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => NAME,
        _ => UNKNOWN,
    };
    let problem = match problem {
        CertificateError::UnknownIssuer => "nobody here knows who issued it".to_owned(),
        other => other.to_string(),
    };
    Some((problem, cure))
}

/// Whether the same request would fail in the same way again.
pub(crate) fn is_final(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::RequireHttpsOnly(_)
        | ureq::Error::LargeResponseHeader(..)
        | ureq::Error::BodyExceedsLimit(_) => true,
        // It wants a password, or does not let this host through.
        ureq::Error::ConnectProxyFailed(reason) => {
            ["401", "403", "407"].iter().any(|no| reason.contains(no))
        }
        // No TLS, or none that both sides know.
        other => matches!(
            tls_error(other),
            Some(
                Error::InvalidMessage(_)
                    | Error::PeerIncompatible(_)
                    | Error::AlertReceived(_)
                    | Error::NoCertificatesPresented
            )
        ),
    }
}

/// The error of rustls within ureq's, which passes it on in one of two ways.
fn tls_error(error: &ureq::Error) -> Option<&Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => {
            let inner = error.get_ref()?;
            inner
                .downcast_ref()
                .or_else(|| inner.source()?.downcast_ref())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn certificates_are_refused_with_a_cure_and_others_tried_again() {
        for (problem, expected) in [
            (CertificateError::UnknownIssuer, UNKNOWN),
            (CertificateError::BadEncoding, UNKNOWN),
            (CertificateError::Expired, TIME),
            (CertificateError::NotValidYet, TIME),
            (CertificateError::NotValidForName, NAME),
        ] {
            let error = Error::InvalidCertificate(problem);
            let wrapped = io::Error::new(io::ErrorKind::InvalidData, error.clone());
            for error in [ureq::Error::Rustls(error), ureq::Error::Io(wrapped)] {
                let (_, cure) = refused(&error).expect("a certificate");
                assert_eq!(cure, expected, "{error}");
            }
        }
        let refusing = |reason: &str| ureq::Error::ConnectProxyFailed(reason.to_owned());
        for (error, expected) in [
            (ureq::Error::Rustls(Error::DecryptError), false),
            (ureq::Error::Rustls(Error::NoCertificatesPresented), true),
            (
                ureq::Error::Io(io::ErrorKind::ConnectionReset.into()),
                false,
            ),
            (ureq::Error::HostNotFound, false),
            (refusing("proxy server responded 407/407"), true),
            (refusing("proxy server responded 502/502"), false),
        ] {
            assert!(refused(&error).is_none(), "{error}");
            assert_eq!(is_final(&error), expected, "{error}");
        }
    }
}
