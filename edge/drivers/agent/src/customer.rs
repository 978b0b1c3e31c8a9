//! What a customer shows to read about a service: `Authorization: Selvedge ` and a
//! [`SignedReadToken`] in hex.
//!
//! A signature costs about 50 µs to check, so whatever can be told without it is told first, and
//! whoever asks strangers for tokens bounds how often each may try ([`crate::Buckets`]).

use codec::DecodeAll;
use selvedge_edge_core_verify::verify_customer;
use selvedge_primitives_types::{
    Account, Domain, GenesisHash, Millis, ReadScope, ServiceId, SignedReadToken,
};

/// Why a token does not open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadRefused {
    /// There is none, or it is not of its form.
    #[error("show a read token: Authorization: Selvedge <hex>")]
    Missing,
    /// It has ended, or would count for too long.
    #[error("the read token has ended, or ends too far ahead")]
    Untimely,
    /// It opens something else.
    #[error("the read token is for something else")]
    OtherScope,
    /// There is no such service.
    #[error("there is no such service here")]
    UnknownService,
    /// The customer did not sign it.
    #[error("the read token is not signed by the account that owns the service")]
    NotTheCustomer,
}

/// The service that a request's `Authorization` opens for reading.
///
/// `customer_of` names who pays for a service, as the chain's config says. Errors:
/// [`ReadRefused`].
pub fn read_token(
    authorization: Option<&[u8]>,
    scope: ReadScope,
    genesis: &GenesisHash,
    now: Millis,
    customer_of: impl FnOnce(ServiceId) -> Option<Account>,
) -> Result<ServiceId, ReadRefused> {
    let shown = authorization.ok_or(ReadRefused::Missing)?;
    let digits = shown
        .split_at_checked(9)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"selvedge "))
        .map(|(_, digits)| digits.strip_prefix(b"0x").unwrap_or(digits))
        .ok_or(ReadRefused::Missing)?;
    let bytes = hex::decode(digits).map_err(|_| ReadRefused::Missing)?;
    let signed = SignedReadToken::decode_all(&mut &bytes[..]).map_err(|_| ReadRefused::Missing)?;
    let token = &signed.token;
    if !token.is_valid(now) {
        return Err(ReadRefused::Untimely);
    }
    if token.scope != scope {
        return Err(ReadRefused::OtherScope);
    }
    let customer = customer_of(token.service).ok_or(ReadRefused::UnknownService)?;
    verify_customer(
        &customer,
        Domain::ReadToken,
        genesis,
        token,
        &signed.signature,
    )
    .map_err(|_| ReadRefused::NotTheCustomer)?;
    Ok(token.service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use ed25519_dalek::{Signer, SigningKey};
    use selvedge_primitives_types::{CustomerSignature, ReadToken, Signature64};

    const GENESIS: GenesisHash = [1; 32];

    fn shown(key: &SigningKey, token: ReadToken) -> String {
        let message = Domain::ReadToken.message(&GENESIS, &token);
        let signature = CustomerSignature::Ed25519(Signature64(key.sign(&message).to_bytes()));
        let signed = SignedReadToken { token, signature };
        format!("Selvedge {}", hex::encode(signed.encode()))
    }

    #[test]
    fn a_token_opens_what_it_says_while_it_says_so() {
        let key = SigningKey::from_bytes(&[4; 32]);
        let customer = Account(key.verifying_key().to_bytes());
        let token = ReadToken {
            service: ServiceId(3),
            scope: ReadScope::Logs,
            expires: Millis(60_000),
        };
        let good = shown(&key, token);
        let read = |text: &str, scope, now| {
            let of = |service| (service == ServiceId(3)).then_some(customer);
            read_token(Some(text.as_bytes()), scope, &GENESIS, Millis(now), of)
        };
        assert_eq!(read(&good, ReadScope::Logs, 1), Ok(ServiceId(3)));
        let lower = good.replace("Selvedge ", "selvedge 0x");
        assert_eq!(read(&lower, ReadScope::Logs, 1), Ok(ServiceId(3)));
        let refused = |text: &str, scope, now| read(text, scope, now).unwrap_err();
        assert_eq!(
            refused(&good, ReadScope::Explain, 1),
            ReadRefused::OtherScope
        );
        assert_eq!(
            refused(&good, ReadScope::Logs, 60_000),
            ReadRefused::Untimely
        );
        let other = shown(&SigningKey::from_bytes(&[5; 32]), token);
        let strange = shown(
            &key,
            ReadToken {
                service: ServiceId(4),
                ..token
            },
        );
        assert_eq!(
            refused(&other, ReadScope::Logs, 1),
            ReadRefused::NotTheCustomer
        );
        assert_eq!(
            refused(&strange, ReadScope::Logs, 1),
            ReadRefused::UnknownService
        );
        for text in [
            "",
            "Selvedge",
            "Selvedge ",
            "Bearer 00",
            "Selvedge zz",
            "Selvedge 00",
        ] {
            assert_eq!(refused(text, ReadScope::Logs, 1), ReadRefused::Missing);
        }
    }
}
