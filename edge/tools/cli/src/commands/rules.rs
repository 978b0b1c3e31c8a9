//! `selvedge rules`: documents looked at before they are pinned, and keys for signed URLs.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use rand::RngCore;
use selvedge_edge_core_rules::{
    seconds, sign_cookie, sign_url, Grant, Limits, Plan, Request, Rules, Unmetered,
};
use selvedge_primitives_types::Millis;
use serde_json::{json, Value};

use super::Context;
use crate::cli::rules::{CheckArgs, RulesCommand, SignArgs};
use crate::content::{self, Pointer};
use crate::error::Failure;
use crate::output;

/// Runs `selvedge rules …`.
pub async fn run(context: &Context<'_>, command: RulesCommand) -> anyhow::Result<()> {
    match command {
        RulesCommand::Pointer(command) => content::point(context, Pointer::Rules, command).await,
        RulesCommand::Check(args) => check(context, &args),
        RulesCommand::Keygen { id, secret } => keygen(context, &id, &secret),
        RulesCommand::Sign(args) => sign(context, &args),
    }
}

fn check(context: &Context<'_>, args: &CheckArgs) -> anyhow::Result<()> {
    let text = read(&args.file)?;
    let path = args.file.display();
    let rules = Rules::parse(&text, args.private_origins).map_err(|error| {
        Failure::Input(format!(
            "{path}:{}:{}: {}",
            error.line, error.column, error.reason
        ))
    })?;
    let rules = Arc::new(rules);
    let Some(url) = &args.request else {
        let value = json!({ "rules": rules.len() });
        return context.output.answer(&value, || {
            format!("{path}: {} rules, all in order", rules.len())
        });
    };
    let value = dry_run(&rules, url, args)?;
    context.output.answer(&value, || in_words(&value))
}

/// What the rules make of a request, field by field.
fn dry_run(rules: &Arc<Rules>, url: &str, args: &CheckArgs) -> anyhow::Result<Value> {
    let wrong = |what: &str| Failure::Input(format!("{url:?} is no whole URL: {what}"));
    let uri: Uri = url
        .parse()
        .map_err(|_| wrong("blanks are written as %20"))?;
    let host = uri
        .host()
        .ok_or_else(|| wrong("begin with http:// or https:// and a host"))?;
    let method = Method::from_bytes(args.method.as_bytes())
        .map_err(|_| Failure::Input(format!("{:?} is no method", args.method)))?;
    let mut headers = HeaderMap::new();
    for field in &args.fields {
        let fault = || Failure::Input(format!("{field:?} is no field: use --field 'name: value'"));
        let (name, value) = field.split_once(':').ok_or_else(fault)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| fault())?;
        headers.append(
            name,
            HeaderValue::from_str(value.trim()).map_err(|_| fault())?,
        );
    }
    let host = host.to_ascii_lowercase();
    let request = Request {
        is_tls: uri.scheme_str() == Some("https"),
        host: &host,
        method: &method,
        target: uri.path_and_query().map_or("/", |target| target.as_str()),
        headers: &headers,
        client: args.client,
    };
    let plan = rules.plan(&request, Millis(now() * 1_000), &mut Unmetered);
    let plan =
        plan.map_err(|overrun| Failure::Input(format!("visitors would get an error: {overrun}")))?;
    Ok(described(&plan, &request))
}

fn described(plan: &Plan, request: &Request<'_>) -> Value {
    let names: Vec<&str> = plan.names().collect();
    if let Some(answer) = &plan.answer {
        return json!({
            "rules": names,
            "answer": {
                "status": answer.status.as_u16(),
                "why": answer.why.name(),
                "fields": fields(&answer.headers),
            },
        });
    }
    let store = &plan.store;
    let mut answered = HeaderMap::new();
    plan.on_origin(StatusCode::OK, &mut answered);
    plan.on_answer(request, &mut answered);
    json!({
        "rules": names,
        "asked_for": plan.target.as_deref().unwrap_or(request.target),
        "asked_with": plan.fields.as_ref().map(fields),
        "origin": plan.origin().map(|origin| &origin.name),
        "store": {
            "off": store.is_off,
            "edge_ttl_s": store.edge,
            "error_ttl_s": store.error,
            "browser_ttl_s": store.browser,
            "forced": store.is_forced,
            "set_cookie_stripped": store.strips_cookies || store.is_forced,
        },
        "answer_fields": fields(&answered),
        "coding": plan.compression().and_then(|own| own.choose(request.headers)).map(|coding| coding.name()),
    })
}

fn fields(headers: &HeaderMap) -> Value {
    let lines = headers.iter();
    lines
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect()
}

fn in_words(value: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let lines = |value: &Value| -> Vec<String> {
        let lines = value.as_array().into_iter().flatten();
        lines
            .map(|line| format!("{}: {}", text(&line[0]), text(&line[1])))
            .collect()
    };
    let names: Vec<String> = value["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    let mut rows = vec![(
        "rules",
        if names.is_empty() {
            "none applies".to_owned()
        } else {
            names.join(", ")
        },
    )];
    let answer = &value["answer"];
    if !answer.is_null() {
        rows.push((
            "answer",
            format!("{} ({})", text(&answer["status"]), text(&answer["why"])),
        ));
        rows.extend(
            lines(&answer["fields"])
                .into_iter()
                .map(|line| ("  field", line)),
        );
        return output::list(&rows);
    }
    rows.push(("asked for", text(&value["asked_for"])));
    rows.extend(
        lines(&value["asked_with"])
            .into_iter()
            .map(|line| ("  field", line)),
    );
    rows.push(("origin", text(&value["origin"])));
    let store = &value["store"];
    let stored = match store["off"].as_bool() {
        Some(true) => "never".to_owned(),
        _ => format!(
            "edge {} s, failures {} s, browsers {} s{}",
            text(&store["edge_ttl_s"]),
            text(&store["error_ttl_s"]),
            text(&store["browser_ttl_s"]),
            if store["forced"] == true {
                ", whatever the origin says"
            } else {
                ""
            },
        ),
    };
    rows.push(("stored", stored));
    rows.extend(
        lines(&value["answer_fields"])
            .into_iter()
            .map(|line| ("answer field", line)),
    );
    rows.push(("coding", text(&value["coding"])));
    output::list(&rows)
}

fn keygen(context: &Context<'_>, id: &str, path: &Path) -> anyhow::Result<()> {
    let mut seed = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut seed);
    let key = SigningKey::from_bytes(&seed);
    let public = hex::encode(key.verifying_key().to_bytes());
    // A probe, so that an id that no document takes is refused before anything is written.
    sign_cookie("a", "/", (id, &key), 0)
        .map_err(|error| Failure::Input(format!("{id:?}: {error}")))?;
    let fault = |error: std::io::Error| Failure::Folder {
        path: path.display().to_string(),
        cause: error.to_string(),
    };
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = file.map_err(fault)?;
    writeln!(file, "{}", hex::encode(seed)).map_err(fault)?;
    let lines = format!("[[key]]\nid = \"{id}\"\ned25519 = \"{public}\"");
    context
        .output
        .answer(&json!({ "id": id, "ed25519": public }), || lines)
}

fn sign(context: &Context<'_>, args: &SignArgs) -> anyhow::Result<()> {
    let wrong = |what: String| Failure::Input(what);
    let uri: Uri = args
        .link
        .parse()
        .map_err(|_| wrong(format!("{:?} is no URL", args.link)))?;
    let (Some(scheme), Some(authority), Some(host)) =
        (uri.scheme_str(), uri.authority(), uri.host())
    else {
        return Err(wrong(format!("{:?} is no whole URL", args.link)).into());
    };
    let seed = read(&args.secret)?;
    let seed = hex::decode(seed.trim())
        .ok()
        .and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    let seed = seed.ok_or_else(|| {
        Failure::KeyInvalid(format!(
            "{} holds no secret of `selvedge rules keygen`",
            args.secret.display()
        ))
    })?;
    let key = SigningKey::from_bytes(&seed);
    let time =
        seconds(&args.time).map_err(|fault| wrong(format!("--for {:?} is {fault}", args.time)))?;
    let expires = now() + u64::from(time);
    let (host, by) = (host.to_ascii_lowercase(), (args.id.as_str(), &key));
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let signed = match (&args.below, args.cookie) {
        (Some(below), true) => sign_cookie(&host, below, by, expires),
        (below, _) => {
            let grant = match below {
                Some(below) => Grant::Prefix(below.clone()),
                None => Grant::Target(target.to_owned()),
            };
            sign_url(&host, target, &grant, by, expires)
                .map(|target| format!("{scheme}://{authority}{target}"))
        }
    };
    let signed = signed.map_err(|error| wrong(error.to_string()))?;
    context
        .output
        .answer(&json!({ "signed": signed, "expires": expires }), || {
            signed.clone()
        })
}

fn read(path: &Path) -> Result<String, Failure> {
    let fault = |cause: String| Failure::Folder {
        path: path.display().to_string(),
        cause,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| fault(error.to_string()))?
        .len();
    if length > Limits::DOCUMENT as u64 {
        return Err(fault(format!(
            "longer than the {} octets that a document may have",
            Limits::DOCUMENT
        )));
    }
    std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}
