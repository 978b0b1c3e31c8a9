//! `selvedge service explain`: what would answer a request at each gateway, and why.

use super::{
    watch::{about, said, Named},
    Context,
};
use crate::{cli::ExplainArgs, error::Failure, insight::public::plain, output};
use selvedge_primitives_types::ReadScope;
use serde_json::{json, Value};

/// Prints what each gateway would answer a request with.
pub async fn run(context: &Context<'_>, args: ExplainArgs) -> anyhow::Result<()> {
    let url: http::Uri = args
        .request
        .parse()
        .map_err(|error| Failure::Input(format!("{:?} is no URL: {error}", args.request)))?;
    let host = url.host().ok_or_else(|| {
        Failure::Input(format!(
            "{:?} is no whole URL: begin with http:// or https:// and a host",
            args.request
        ))
    })?;
    let named = args
        .service
        .as_deref()
        .map_or(Named::Host(host), |text| Named::read(Some(text)));
    let about = about(context, &args.about, named).await?;
    let mut fields = serde_json::Map::new();
    for field in &args.fields {
        let (name, value) = field.split_once(':').ok_or_else(|| {
            Failure::Input(format!("{field:?} is no field: use --field 'name: value'"))
        })?;
        fields.insert(name.trim().to_lowercase(), value.trim().into());
    }
    let question = json!({ "url": args.request, "method": args.method, "fields": fields });
    let path = format!("/explain/v1/{}", about.reader.service);
    let asking = about.gateways.iter().map(|gateway| {
        let question = Some(question.to_string().into_bytes());
        let reader = &about.reader;
        let path = &path;
        async move {
            let answer = reader
                .ask(gateway, ReadScope::Explain, path, question)
                .await;
            (gateway, answer)
        }
    });
    let (mut answers, mut first) = (Vec::new(), None);
    for (gateway, answer) in futures::future::join_all(asking).await {
        let read = answer.and_then(|bytes| {
            serde_json::from_slice::<Value>(&bytes).map_err(|error| Failure::GatewaySilent {
                url: gateway.url.clone(),
                cause: plain(&error.to_string()),
            })
        });
        match read {
            Ok(answer) => answers.push((gateway, answer)),
            Err(failure @ Failure::Input(_)) => return Err(failure.into()),
            Err(failure) => {
                context
                    .output
                    .progress(format!("{}: {}", gateway.name, said(&failure)));
                first.get_or_insert(failure);
            }
        }
    }
    if let (true, Some(failure)) = (answers.is_empty(), first) {
        return Err(failure.into());
    }
    let values: Vec<&Value> = answers.iter().map(|(_, answer)| answer).collect();
    context.output.answer(&values, || {
        let parts = answers
            .iter()
            .map(|(gateway, answer)| in_words(&gateway.name, answer));
        parts.collect::<Vec<_>>().join("\n")
    })
}

fn in_words(name: &str, answer: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    };
    let rule = |value: &Value| match &value["rule"] {
        Value::Null => String::new(),
        rule => format!(" ({}, {})", text(&rule["name"]), text(&rule["section"])),
    };
    let stored = |value: &Value| {
        let vary = match value["vary"].as_object() {
            Some(vary) if !vary.is_empty() => format!(", varies by {}", text(&value["vary"])),
            _ => String::new(),
        };
        format!(
            "{} of {} bytes, age {} s, fresh for {} s more, generation {}{vary}{}",
            text(&value["status"]),
            text(&value["length"]),
            text(&value["age_s"]),
            text(&value["fresh_for_s"]),
            text(&value["generation"]),
            rule(value),
        )
    };
    let now = &answer["now"];
    let mut rows = vec![
        ("gateway", name.to_owned()),
        (
            "now",
            format!(
                "{}: {}{}",
                text(&now["outcome"]),
                text(&now["text"]),
                rule(now)
            ),
        ),
    ];
    if let Some(key) = answer["key"].as_str() {
        rows.push(("key", plain(key)));
    }
    let rules = &answer["rules"];
    if !rules.is_null() {
        let fault = match &rules["fault"] {
            Value::Null => String::new(),
            fault => format!(", {} is not: {}", text(&rules["wanted"]), text(fault)),
        };
        let in_force = match &rules["in_force"] {
            Value::Null => "none is in force".to_owned(),
            root => format!("{} is in force", text(root)),
        };
        rows.push(("rules", format!("{in_force}{fault}")));
    }
    let applied = answer["rules_applied"].as_array().into_iter().flatten();
    let applied: Vec<String> = applied.map(text).collect();
    if !applied.is_empty() {
        rows.push(("rules applied", applied.join(", ")));
    }
    for entry in answer["memory"].as_array().into_iter().flatten() {
        let name = if entry["is_chosen"] == true {
            "memory, chosen"
        } else {
            "memory"
        };
        rows.push((name, stored(entry)));
    }
    for owner in answer["owners"].as_array().into_iter().flatten() {
        let cache: String = text(&owner["cache"]).chars().take(12).collect();
        let said = match owner["answer"].as_str() {
            Some("stored") => stored(&owner["stored"]),
            Some("silent") => format!("no answer: {}", text(&owner["why"])),
            _ => text(&owner["answer"]),
        };
        rows.push(("owner cache", format!("{cache}: {said}")));
    }
    let afterwards = &answer["stored_afterwards"];
    if !afterwards.is_null() {
        rows.push((
            "stored then",
            format!("{}{}", text(&afterwards["answer"]), rule(afterwards)),
        ));
    }
    output::list(&rows)
}
