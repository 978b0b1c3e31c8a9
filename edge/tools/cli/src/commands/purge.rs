//! `selvedge service purge` and `purge-verify`.

use super::Context;
use crate::{
    cli::{PurgeArgs, PurgeVerifyArgs},
    error::Failure,
    http,
    insight::public::now,
    output,
    receipt::{self, Registered},
};
use ::http::Request;
use http_body_util::Full;
use selvedge_primitives_runtime_api::ServiceView;
use selvedge_primitives_types::{
    Account, Domain, PurgeKind, PurgeMode, PurgeReceipt, PurgeRequest, Role, ServiceId,
};
use serde_json::{json, Value};
use std::time::{Duration, Instant};
use subxt_signer::sr25519::Keypair;

/// How long a gateway may take: it waits itself for nodes that are slow.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest receipt that is read: a few thousand nodes.
const MAX_RECEIPT: usize = 4 * 1024 * 1024;

/// Purges, and prints who obeys.
pub async fn purge(context: &Context<'_>, args: PurgeArgs) -> anyhow::Result<()> {
    let kind = kind(&args)?;
    let signer = context.signer()?;
    let chain = context.chain().await?;
    let mode = if args.soft {
        PurgeMode::Soft
    } else {
        PurgeMode::Hard
    };
    let request = PurgeRequest {
        service: ServiceId(args.service),
        kind,
        mode,
        issued: now(),
        nonce: rand::random(),
    };
    let message = Domain::PurgeRequest.message(&chain.genesis(), &request);
    let body = body(&request, &signer, &message).to_string();
    let nodes = chain.nodes().await?;
    let gateways = match args.gateway {
        Some(url) => vec![url],
        None => nodes
            .iter()
            .filter(|node| node.role == Role::Gateway && node.active)
            .map(|node| String::from_utf8_lossy(&node.public_url).into_owned())
            .collect(),
    };
    let begun = Instant::now();
    let mut failure = Failure::NotFound(
        "no gateway is active; name one with --gateway URL, the base URL of its public endpoint"
            .into(),
    );
    for gateway in gateways {
        let url = format!("{}/purge/v1", gateway.trim_end_matches('/'));
        match post(&url, &body).await {
            Ok((200 | 202, answer)) => {
                let took = begun.elapsed();
                let value: Value = serde_json::from_str(&answer)?;
                let receipt = receipt::read(&value)?;
                let registered = Registered {
                    genesis: chain.genesis(),
                    customer: Account(signer.public_key().0),
                    nodes: nodes.iter().map(|node| (node.device, node.role)).collect(),
                };
                receipt::check(&receipt, &registered)?;
                return context
                    .output
                    .answer(&value, || told(&receipt, &gateway, took));
            }
            // Every gateway would say the same.
            Ok((status @ 400..=499, answer)) if status != 429 => {
                return Err(Failure::Purge(answer.trim().into()).into());
            }
            Ok((status, answer)) => {
                failure = Failure::GatewayFailed {
                    url,
                    cause: format!("{status}: {}", answer.trim()),
                };
            }
            Err(error) => {
                failure = Failure::GatewayFailed {
                    url,
                    cause: format!("{error:#}"),
                };
            }
        }
        context
            .output
            .progress(format!("{failure}; trying another"));
    }
    Err(failure.into())
}

/// Checks a receipt against the nodes and the customer on the chain.
pub async fn verify(context: &Context<'_>, args: PurgeVerifyArgs) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.receipt)
        .map_err(|error| Failure::Input(format!("{}: {error}", args.receipt.display())))?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::Input(format!("{}: {error}", args.receipt.display())))?;
    let receipt = receipt::read(&value)?;
    let customer = context.account_or_signer(args.account.as_deref())?;
    let chain = context.chain().await?;
    let service = receipt.order.service();
    let services: Vec<ServiceView> = chain.view("BillingApi_services", &customer).await?;
    if !services.iter().any(|view| view.id == service) {
        return Err(Failure::NotFound(format!(
            "service {service} is not of this account\n  name the one that owns it with --account"
        ))
        .into());
    }
    let nodes = chain.nodes().await?;
    let registered = Registered {
        genesis: chain.genesis(),
        customer,
        nodes: nodes.iter().map(|node| (node.device, node.role)).collect(),
    };
    receipt::check(&receipt, &registered)?;
    let value = json!({
        "service": service.0,
        "number": receipt.order.order.number,
        "acknowledged": receipt.acks.len(),
        "missing": receipt.missing.len(),
        "verified": true,
    });
    context.output.answer(&value, || {
        format!(
            "{}every signature verifies",
            output::list(&summary(&receipt))
        )
    })
}

fn kind(args: &PurgeArgs) -> Result<PurgeKind, Failure> {
    let what = &args.what;
    let whole = |text: &String| {
        let is_whole = text.starts_with("http://") || text.starts_with("https://");
        if is_whole {
            Ok(text.clone().into_bytes())
        } else {
            Err(Failure::Input(format!(
                "{text:?} must begin with http:// or https://: the two are purged apart"
            )))
        }
    };
    Ok(match (&what.page, &what.prefix, &what.host, &what.tag) {
        (Some(url), ..) => PurgeKind::Url(whole(url)?),
        (_, Some(prefix), ..) => PurgeKind::Prefix(whole(prefix)?),
        (_, _, Some(host), _) => PurgeKind::Host(host.to_lowercase().into_bytes()),
        (_, _, _, Some(tag)) => PurgeKind::Tag(tag.clone().into_bytes()),
        _ => PurgeKind::Everything,
    })
}

fn body(request: &PurgeRequest, signer: &Keypair, message: &[u8]) -> Value {
    let (kind, value) = match &request.kind {
        PurgeKind::Url(text) => ("url", Some(text)),
        PurgeKind::Prefix(text) => ("prefix", Some(text)),
        PurgeKind::Host(text) => ("host", Some(text)),
        PurgeKind::Tag(text) => ("tag", Some(text)),
        PurgeKind::Everything => ("everything", None),
        // Nobody but a gateway asks for it.
        PurgeKind::Keys(_) => ("keys", None),
    };
    json!({
        "service": request.service.0,
        "kind": kind,
        "value": value.map(|text| String::from_utf8_lossy(text)),
        "mode": match request.mode {
            PurgeMode::Soft => "soft",
            PurgeMode::Hard => "hard",
        },
        "issued": request.issued.0,
        "nonce": format!("0x{}", hex::encode(request.nonce)),
        "scheme": "sr25519",
        "signature": format!("0x{}", hex::encode(signer.sign(message).0)),
    })
}

async fn post(url: &str, body: &str) -> anyhow::Result<(u16, String)> {
    let request = Request::post(url)
        .header("content-type", "application/json")
        .body(Full::from(body.to_owned()))?;
    let asked = async {
        let response = http::send(request).await?;
        let status = response.status().as_u16();
        let body = http::whole(response, MAX_RECEIPT).await?;
        anyhow::Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    tokio::time::timeout(PATIENCE, asked)
        .await
        .map_err(|_| anyhow::anyhow!("no answer within {} s", PATIENCE.as_secs()))?
}

fn summary(receipt: &PurgeReceipt) -> Vec<(&'static str, String)> {
    let nodes = receipt.acks.len() + receipt.missing.len();
    let author = match receipt.order.order.signed.author.gateway() {
        Some(gateway) => format!("gateway {gateway}, after unsafe requests"),
        None => "the account that owns the service".into(),
    };
    let mut rows = vec![
        ("number", receipt.order.order.number.to_string()),
        ("asked by", author),
        ("ordered by", receipt.order.order.owner.to_string()),
        (
            "acknowledged",
            format!("{} of {nodes} nodes", receipt.acks.len()),
        ),
    ];
    if !receipt.missing.is_empty() {
        let missing: Vec<String> = receipt.missing.iter().map(ToString::to_string).collect();
        rows.push(("missing", missing.join(", ")));
    }
    rows
}

fn told(receipt: &PurgeReceipt, gateway: &str, took: Duration) -> String {
    let mut rows = summary(receipt);
    rows.push(("time", format!("{} ms, by {gateway}", took.as_millis())));
    let list = output::list(&rows);
    if receipt.missing.is_empty() {
        return format!("{list}purged everywhere");
    }
    format!(
        "{list}a node that is missing validates with the origin before it serves, or learns of the purge when it is back"
    )
}
