//! Which gateways are asked for content, and what follows when one fails.

use super::Context;
use crate::{
    error::Failure,
    insight::public::{self, Gateway as Listed},
    output::Output,
    publish::gateway::Gateway,
};

/// The gateway that was named, or those that the chain lists.
pub async fn gateways(context: &Context<'_>, named: Option<&str>) -> anyhow::Result<Vec<Listed>> {
    match named {
        Some(url) => Ok(vec![Listed {
            name: url.into(),
            region: String::new(),
            url: url.trim_end_matches('/').into(),
        }]),
        None => public::gateways(&context.chain().await?).await,
    }
}

/// Does something with the first gateway that it works with.
///
/// Errors: what went wrong with the last, or what would with every other.
pub async fn with_any<T>(
    output: &Output,
    gateways: &[Listed],
    work: impl AsyncFn(&Gateway) -> Result<T, Failure>,
) -> Result<(Gateway, T), Failure> {
    let mut last = Failure::NotFound("there is no gateway to ask; name one with --gateway".into());
    for (index, listed) in gateways.iter().enumerate() {
        let gateway = Gateway::new(&listed.url);
        match work(&gateway).await {
            Ok(done) => return Ok((gateway, done)),
            Err(failure) if !is_of_one_gateway(&failure) => return Err(failure),
            Err(failure) => last = failure,
        }
        if index + 1 < gateways.len() {
            output.progress(format!("{last}; trying another"));
        }
    }
    Err(last)
}

/// Whether another gateway may do better.
fn is_of_one_gateway(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::GatewaySilent { .. }
            | Failure::GatewayFailed { .. }
            | Failure::ContentInvalid { .. }
            | Failure::NotFound(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn listed(url: &str) -> Listed {
        Listed {
            name: url.into(),
            region: String::new(),
            url: url.into(),
        }
    }

    #[tokio::test]
    async fn another_gateway_is_asked_unless_it_would_say_the_same() {
        let gateways = ["http://a", "http://b", "http://c"].map(listed);
        let output = Output::new(true);
        let asked = RefCell::new(Vec::new());
        let failing = |url: &str| Failure::GatewayFailed {
            url: url.into(),
            cause: "x".into(),
        };
        let (gateway, _) = with_any(&output, &gateways, async |gateway| {
            asked.borrow_mut().push(gateway.url.clone());
            match gateway.url.as_str() {
                "http://a" => Err(failing("a")),
                _ => Ok(()),
            }
        })
        .await
        .unwrap();
        assert_eq!(gateway.url, "http://b");
        assert_eq!(asked.take(), ["http://a", "http://b"]);
        let refused = with_any::<()>(&output, &gateways, async |gateway| {
            asked.borrow_mut().push(gateway.url.clone());
            Err(Failure::Input("no".into()))
        })
        .await;
        assert!(matches!(refused, Err(Failure::Input(_))));
        assert_eq!(asked.take(), ["http://a"]);
        let all = with_any::<()>(&output, &gateways, async |gateway| {
            Err(failing(&gateway.url))
        });
        assert!(matches!(all.await, Err(Failure::GatewayFailed { url, .. }) if url == "http://c"));
    }
}
