//! What a customer shows to read about a service or to publish for it: `Authorization: Selvedge ` and a
//! [`SignedReadToken`] or [`SignedPublishToken`] in hex.
//!
//! A signature costs about 50 µs to check, so whatever can be told without it is told first, and
//! whoever asks strangers for tokens bounds how often each may try ([`crate::Buckets`]).

use codec::{DecodeAll, Encode};
use selvedge_edge_core_verify::verify_customer;
use selvedge_primitives_types::{
    Account, CustomerSignature, Domain, GenesisHash, Millis, ReadScope, ServiceId,
    SignedPublishToken, SignedReadToken,
};

/// Why a token does not open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadRefused {
    /// There is none, or it is not of its form.
    #[error("show a token: Authorization: Selvedge <hex>")]
    Missing,
    /// It has ended, or would count for too long.
    #[error("the token has ended, or ends too far ahead")]
    Untimely,
    /// It opens something else.
    #[error("the token is for something else")]
    OtherScope,
    /// There is no such service.
    #[error("there is no such service here")]
    UnknownService,
    /// The customer did not sign it.
    #[error("the token is not signed by the account that owns the service")]
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
    let signed: SignedReadToken = shown(authorization)?;
    let token = &signed.token;
    if !token.is_valid(now) {
        return Err(ReadRefused::Untimely);
    }
    if token.scope != scope {
        return Err(ReadRefused::OtherScope);
    }
    let customer = customer_of(token.service).ok_or(ReadRefused::UnknownService)?;
    let domain = Domain::ReadToken;
    signed_by(&customer, domain, genesis, token, &signed.signature)?;
    Ok(token.service)
}

/// The service that a request's `Authorization` lets its sender put content for. As [`read_token`].
pub fn publish_token(
    authorization: Option<&[u8]>,
    genesis: &GenesisHash,
    now: Millis,
    customer_of: impl FnOnce(ServiceId) -> Option<Account>,
) -> Result<ServiceId, ReadRefused> {
    let signed: SignedPublishToken = shown(authorization)?;
    let token = &signed.token;
    if !token.is_valid(now) {
        return Err(ReadRefused::Untimely);
    }
    let customer = customer_of(token.service).ok_or(ReadRefused::UnknownService)?;
    let domain = Domain::PublishToken;
    signed_by(&customer, domain, genesis, token, &signed.signature)?;
    Ok(token.service)
}

fn shown<T: DecodeAll>(authorization: Option<&[u8]>) -> Result<T, ReadRefused> {
    let shown = authorization.ok_or(ReadRefused::Missing)?;
    let digits = shown
        .split_at_checked(9)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"selvedge "))
        .map(|(_, digits)| digits.strip_prefix(b"0x").unwrap_or(digits))
        .ok_or(ReadRefused::Missing)?;
    let bytes = hex::decode(digits).map_err(|_| ReadRefused::Missing)?;
    T::decode_all(&mut &bytes[..]).map_err(|_| ReadRefused::Missing)
}

fn signed_by(
    customer: &Account,
    domain: Domain,
    genesis: &GenesisHash,
    token: &impl Encode,
    signature: &CustomerSignature,
) -> Result<(), ReadRefused> {
    verify_customer(customer, domain, genesis, token, signature)
        .map_err(|_| ReadRefused::NotTheCustomer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use selvedge_primitives_types::{PublishToken, ReadToken, Signature64};

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

    #[test]
    fn who_may_read_may_not_publish() {
        let key = SigningKey::from_bytes(&[4; 32]);
        let customer = Account(key.verifying_key().to_bytes());
        let (service, expires) = (ServiceId(3), Millis(60_000));
        let token = PublishToken { service, expires };
        let sign = |domain: Domain| {
            let message = domain.message(&GENESIS, &token);
            let signature = CustomerSignature::Ed25519(Signature64(key.sign(&message).to_bytes()));
            let signed = SignedPublishToken { token, signature };
            format!("Selvedge {}", hex::encode(signed.encode()))
        };
        let publish = |text: &str, now| {
            let of = |service| (service == ServiceId(3)).then_some(customer);
            publish_token(Some(text.as_bytes()), &GENESIS, Millis(now), of)
        };
        let good = sign(Domain::PublishToken);
        assert_eq!(publish(&good, 1), Ok(service));
        assert_eq!(publish(&good, 60_000), Err(ReadRefused::Untimely));
        let other = sign(Domain::ReadToken);
        assert_eq!(publish(&other, 1), Err(ReadRefused::NotTheCustomer));
        let scope = ReadScope::Logs;
        let read = shown(
            &key,
            ReadToken {
                service,
                scope,
                expires,
            },
        );
        assert_eq!(publish(&read, 1), Err(ReadRefused::Missing));
    }
}
