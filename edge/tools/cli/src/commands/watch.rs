//! `selvedge service top`, `logs` and `token`: what gateways say about a service.

use super::Context;
use crate::{
    cli::{AboutArgs, LogsArgs, ScopeName, TokenArgs, TopArgs},
    error::Failure,
    insight::{
        figures::{together, Figures, Shown},
        public::{gateways, genesis_of, now, plain, Gateway, Reader},
    },
    output,
};
use http_body_util::BodyExt;
use selvedge_primitives_runtime_api::ServiceView;
use selvedge_primitives_types::{Account, Millis, ReadScope, ServiceId};
use serde::Serialize;
use serde_json::{json, Value};
use std::{io::IsTerminal, time::Duration};
use tokio::sync::mpsc;

/// A line of a log that is longer is left out, in bytes.
const MAX_LINE: usize = 256 * 1024;

/// How long to wait before a gateway that broke off is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// Who is asked about what.
pub struct About {
    /// What is shown.
    pub reader: Reader,
    /// Who is asked.
    pub gateways: Vec<Gateway>,
}

/// Finds the service and the gateways. `host` is a host name of the service, where that is all that is known of it.
pub async fn about(
    context: &Context<'_>,
    args: &AboutArgs,
    named: Named<'_>,
) -> anyhow::Result<About> {
    let signer = context.signer()?;
    if args.gateways.is_empty() {
        let chain = context.chain().await?;
        let account = Account(signer.public_key().0);
        let own: Vec<ServiceView> = chain.view("BillingApi_services", &account).await?;
        let reader = Reader {
            signer,
            genesis: chain.genesis(),
            service: named.of(&own)?,
        };
        let gateways = gateways(&chain).await?;
        return Ok(About { reader, gateways });
    }
    let gateways: Vec<Gateway> = args.gateways.iter().map(|url| by_url(url)).collect();
    let Named::Number(service) = named else {
        let text = "with --gateway, name the service by its number";
        return Err(Failure::Input(text.into()).into());
    };
    let reader = Reader {
        signer,
        genesis: genesis_of(&gateways[0]).await?,
        service,
    };
    Ok(About { reader, gateways })
}

fn by_url(url: &str) -> Gateway {
    Gateway {
        name: plain(url),
        region: "-".into(),
        url: url.trim_end_matches('/').into(),
    }
}

/// What is known of a service.
#[derive(Clone, Copy)]
pub enum Named<'a> {
    /// Its number.
    Number(ServiceId),
    /// One of its host names.
    Host(&'a str),
    /// That it is the account's only one.
    Only,
}

impl<'a> Named<'a> {
    /// Reads a number or a host name.
    pub fn read(text: Option<&'a str>) -> Self {
        match text.map(|text| (text, text.parse())) {
            None => Self::Only,
            Some((_, Ok(number))) => Self::Number(ServiceId(number)),
            Some((host, Err(_))) => Self::Host(host),
        }
    }

    /// The service, of those of the account.
    fn of(self, own: &[ServiceView]) -> Result<ServiceId, Failure> {
        let numbers = || {
            let numbers: Vec<_> = own.iter().map(|service| service.id.to_string()).collect();
            numbers.join(", ")
        };
        match (self, own) {
            (Self::Number(number), _) => Ok(number),
            (Self::Host(host), _) => {
                let has = |service: &&ServiceView| {
                    let mut hosts = service.hosts.iter();
                    hosts.any(|known| known.name.eq_ignore_ascii_case(host.as_bytes()))
                };
                let found = own.iter().find(has).map(|service| service.id);
                found.ok_or_else(|| {
                    Failure::NotFound(format!(
                        "no service of this account answers to {host}\n  `selvedge service list` shows them"
                    ))
                })
            }
            (Self::Only, [service]) => Ok(service.id),
            (Self::Only, []) => Err(Failure::NotFound(
                "this account has no services: make one with `selvedge service create`".into(),
            )),
            (Self::Only, _) => Err(Failure::Input(format!(
                "this account has several services, name one: {}",
                numbers()
            ))),
        }
    }
}

/// Prints what happens now, again and again.
pub async fn top(context: &Context<'_>, args: TopArgs) -> anyhow::Result<()> {
    let about = about(context, &args.about, Named::read(args.service.as_deref())).await?;
    let path = format!(
        "/analytics/v1/{}?window={}",
        about.reader.service, args.window
    );
    let mut ticks = tokio::time::interval(Duration::from_secs(args.interval.max(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let seen = look(&about, &path).await?;
        if args.once {
            return context.output.answer(&seen, || seen.table());
        }
        let is_live = std::io::stdout().is_terminal();
        context.output.next(&seen, || {
            // Back to the top of an empty screen.
            let start = if is_live { "\x1b[H\x1b[2J" } else { "" };
            format!("{start}{}", seen.table())
        })?;
    }
}

/// All gateways at one moment.
#[derive(Serialize)]
struct Seen {
    service: u64,
    time_ms: u64,
    gateways: Vec<Row>,
    all: Shown,
    silent: Vec<Silent>,
}

#[derive(Serialize)]
struct Row {
    gateway: String,
    region: String,
    url: String,
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Serialize)]
struct Silent {
    gateway: String,
    url: String,
    cause: String,
}

async fn look(about: &About, path: &str) -> anyhow::Result<Seen> {
    let asking = about.gateways.iter().map(|gateway| async move {
        let answer = about.reader.ask(gateway, ReadScope::Analytics, path, None);
        let figures = match answer.await {
            Ok(answer) => Figures::read(&answer).map_err(|error| Failure::GatewaySilent {
                url: gateway.url.clone(),
                cause: plain(&format!("its answer cannot be read: {error:#}")),
            }),
            Err(failure) => Err(failure),
        };
        (gateway, figures)
    });
    let answers = futures::future::join_all(asking).await;
    let mut seen = Seen {
        service: about.reader.service.0,
        time_ms: now().0,
        gateways: Vec::new(),
        all: Shown::default(),
        silent: Vec::new(),
    };
    let (mut all, mut first) = (Vec::new(), None);
    for (gateway, answer) in answers {
        match answer {
            Ok(figures) => {
                seen.gateways.push(Row {
                    gateway: gateway.name.clone(),
                    region: gateway.region.clone(),
                    url: gateway.url.clone(),
                    shown: together([&figures]),
                });
                all.push(figures);
            }
            // What is wrong with the question is wrong at every gateway.
            Err(failure @ Failure::Input(_)) => return Err(failure.into()),
            Err(failure) => {
                seen.silent.push(Silent {
                    gateway: gateway.name.clone(),
                    url: gateway.url.clone(),
                    cause: said(&failure),
                });
                first.get_or_insert(failure);
            }
        }
    }
    if let (true, Some(failure)) = (all.is_empty(), first) {
        return Err(failure.into());
    }
    seen.all = together(&all);
    Ok(seen)
}

/// A failure without its advice.
pub fn said(failure: &Failure) -> String {
    match failure {
        Failure::GatewaySilent { cause, .. } => cause.clone(),
        Failure::GatewayRefused { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

impl Seen {
    fn table(&self) -> String {
        let head = [
            "gateway", "region", "req/s", "Mbit/s", "hits", "2xx", "3xx", "4xx", "5xx", "p50",
            "p95", "p99",
        ];
        let row = |name: &str, region: &str, shown: &Shown| {
            let class = |name: &str| {
                let count = shown.statuses.get(name).copied().unwrap_or(0);
                match shown.requests {
                    0 => "-".to_owned(),
                    all => format!("{:.1} %", 100.0 * count as f64 / all as f64),
                }
            };
            [
                name.into(),
                region.into(),
                format!("{:.1}", shown.requests_per_second),
                format!("{:.2}", shown.bytes_per_second * 8.0 / 1e6),
                shown
                    .hit_ratio
                    .map_or("-".into(), |ratio| format!("{:.1} %", 100.0 * ratio)),
                class("2xx"),
                class("3xx"),
                class("4xx"),
                class("5xx"),
                time(shown.p50_us),
                time(shown.p95_us),
                time(shown.p99_us),
            ]
        };
        let mut rows: Vec<_> = self
            .gateways
            .iter()
            .map(|gateway| row(&gateway.gateway, &gateway.region, &gateway.shown))
            .collect();
        rows.push(row("all", "", &self.all));
        let right: Vec<usize> = (2..head.len()).collect();
        let table = output::table(head, &right, rows);
        let silent = self.silent.iter().map(|silent| {
            format!(
                "\nno answer from {} ({}): {}",
                silent.gateway, silent.url, silent.cause
            )
        });
        let silent: String = silent.collect();
        format!(
            "service {}, the last {:.0} s: {} requests, {} bytes; time to first byte at p50, p95, p99\n{table}{silent}",
            self.service, self.all.seconds, self.all.requests, self.all.bytes
        )
    }
}

fn time(micros: Option<u64>) -> String {
    match micros {
        None => "-".into(),
        Some(micros @ 0..1_000) => format!("{micros} µs"),
        Some(micros @ 1_000..1_000_000) => format!("{:.1} ms", micros as f64 / 1e3),
        Some(micros) => format!("{:.2} s", micros as f64 / 1e6),
    }
}

/// Prints the access log of all gateways as it is written.
pub async fn logs(context: &Context<'_>, args: LogsArgs) -> anyhow::Result<()> {
    let about = about(context, &args.about, Named::read(Some(&args.service))).await?;
    let (sender, mut lines) = mpsc::channel(1_024);
    for gateway in about.gateways {
        let (reader, sender) = (about.reader.clone(), sender.clone());
        tokio::spawn(async move {
            while let Err(failure) = follow(&reader, &gateway, &sender).await {
                if sender
                    .send((gateway.name.clone(), Err(failure)))
                    .await
                    .is_err()
                {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    drop(sender);
    let time = args.seconds.map_or(Duration::MAX, Duration::from_secs);
    let end = tokio::time::sleep(time);
    tokio::pin!(end);
    loop {
        let next = tokio::select! {
            next = lines.recv() => next,
            () = &mut end => None,
        };
        match next {
            None => return Ok(()),
            // Asking again would not help.
            Some((_, Err(failure @ (Failure::GatewayRefused { .. } | Failure::Input(_))))) => {
                return Err(failure.into())
            }
            Some((name, Err(failure))) => {
                context
                    .output
                    .progress(format!("{name}: {}; trying again", said(&failure)));
            }
            Some((name, Ok(mut line))) => {
                line["gateway"] = name.into();
                context.output.next(&line, || short(&line))?;
            }
        }
    }
}

type Told = (String, Result<Value, Failure>);

/// Reads the log of one gateway until it ends well. Errors when it breaks off.
async fn follow(
    reader: &Reader,
    gateway: &Gateway,
    lines: &mpsc::Sender<Told>,
) -> Result<(), Failure> {
    let broken = |cause: String| Failure::GatewaySilent {
        url: gateway.url.clone(),
        cause,
    };
    let path = format!("/logs/v1/{}", reader.service);
    loop {
        let mut body = reader.stream(gateway, ReadScope::Logs, &path).await?;
        let mut text = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(error.to_string()))?;
            text.extend_from_slice(&frame.into_data().unwrap_or_default());
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                // Only what is JSON is passed on: a terminal obeys nothing in it.
                let Ok(line @ Value::Object(_)) = serde_json::from_slice(&line) else {
                    continue;
                };
                if lines.send((gateway.name.clone(), Ok(line))).await.is_err() {
                    return Ok(());
                }
            }
            if text.len() > MAX_LINE {
                return Err(broken("it sends a line without an end".into()));
            }
        }
        // A gateway that stops ends its streams; one that goes on answers again.
        tokio::time::sleep(PAUSE).await;
    }
}

/// A line as people read it.
fn short(line: &Value) -> String {
    let text = |name: &str| match &line[name] {
        Value::String(text) => plain(text),
        other => other.to_string(),
    };
    if !line["lost"].is_null() {
        return format!("{}: {} lines were left out", text("gateway"), text("lost"));
    }
    format!(
        "{} {} {} {} {} {}://{}{} {} bytes in {}",
        text("gateway"),
        text("time_ms"),
        text("status"),
        text("source"),
        text("method"),
        text("scheme"),
        text("host"),
        text("target"),
        text("bytes"),
        time(line["ttfb_us"].as_u64()),
    )
}

/// Prints a read token.
pub async fn token(context: &Context<'_>, args: TokenArgs) -> anyhow::Result<()> {
    let about = about(context, &args.about, Named::read(Some(&args.service))).await?;
    let scope = match args.scope {
        ScopeName::Analytics => ReadScope::Analytics,
        ScopeName::Logs => ReadScope::Logs,
        ScopeName::Explain => ReadScope::Explain,
    };
    let token = about.reader.token(scope, Millis(args.minutes * 60_000));
    let value = json!({
        "service": about.reader.service.0,
        "authorization": token,
        "gateways": about.gateways.iter().map(|gateway| &gateway.url).collect::<Vec<_>>(),
    });
    context
        .output
        .answer(&value, || format!("Authorization: {token}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_runtime_api::HostView;

    fn service(id: u64, host: &str) -> ServiceView {
        ServiceView {
            id: ServiceId(id),
            owner: Account([1; 32]),
            hosts: vec![HostView {
                name: host.into(),
                proven: true,
                challenge: Vec::new(),
            }],
            origin: Vec::new(),
            cap: 0,
            price_version: 1,
            paused: false,
        }
    }

    #[test]
    fn a_service_is_named_by_number_by_host_or_not_at_all() {
        let own = [service(3, "a.test"), service(4, "b.test")];
        let find =
            |text: Option<&str>, own: &[ServiceView]| Named::read(text).of(own).map(|id| id.0);
        assert_eq!(find(Some("9"), &own).unwrap(), 9);
        assert_eq!(find(Some("B.test"), &own).unwrap(), 4);
        assert!(matches!(
            find(Some("c.test"), &own),
            Err(Failure::NotFound(_))
        ));
        assert_eq!(find(None, &own[..1]).unwrap(), 3);
        let error = find(None, &own).unwrap_err().to_string();
        assert!(error.contains("3, 4"), "{error}");
        assert!(matches!(find(None, &[]), Err(Failure::NotFound(_))));
    }

    #[test]
    fn times_and_lines_are_short() {
        assert_eq!(time(Some(999)), "999 µs");
        assert_eq!(time(Some(1_500)), "1.5 ms");
        assert_eq!(time(None), "-");
        let line = json!({ "gateway": "0x12", "lost": 5 });
        assert_eq!(short(&line), "0x12: 5 lines were left out");
        let line = json!({
            "gateway": "g", "time_ms": 1, "status": 200, "source": "memory", "method": "GET",
            "scheme": "http", "host": "a.test", "target": "/\u{1b}[31m", "bytes": 7, "ttfb_us": 12,
        });
        assert_eq!(
            short(&line),
            "g 1 200 memory GET http://a.test/ [31m 7 bytes in 12 µs"
        );
    }
}
