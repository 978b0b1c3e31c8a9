//! Gets the documents that the chain names.

use std::sync::Arc;
use std::time::Duration;

use selvedge_edge_core_rules::{Limits, Rules};
use selvedge_primitives_types::{ContentKind, ContentRef, ServiceId};

use super::book::hex;
use super::prefetch::prefetch;
use crate::content::Blob;
use crate::gateway::Shared;

/// How often a document that no cache gave is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// Why a document is not in force.
enum Fault {
    /// It was not given; it may be next time.
    Away(String),
    /// It is none; it will never be another.
    Broken(String),
}

/// Gets documents whenever the chain's config says something new, for good.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let open = shared.rules.open();
        let is_all = open.is_empty();
        for (service, content) in open {
            take(&shared, service, content).await;
        }
        let news = shared.rules_changed.notified();
        if is_all {
            news.await;
        } else {
            let _ = tokio::time::timeout(AGAIN, news).await;
        }
    }
}

async fn take(shared: &Arc<Shared>, service: ServiceId, content: ContentRef) {
    match read(shared, service, content).await {
        Ok((rules, text)) => {
            let count = rules.len();
            let rules = Arc::new(rules);
            shared.rules.put(service, content, rules.clone(), &text);
            tokio::spawn(prefetch(shared.clone(), service, rules));
            shared.metrics.rules_taken.inc();
            tracing::info!(%service, root = %hex(&content.root), count, "rules are in force");
        }
        Err(fault) => {
            let (fault, may_help) = match fault {
                Fault::Away(fault) => (fault, true),
                Fault::Broken(fault) => (fault, false),
            };
            if shared.rules.note(service, content, &fault, may_help) {
                shared.metrics.rules_refused.inc();
                tracing::error!(%service, root = %hex(&content.root), fault, "rules are not in force: those before them stay");
            }
        }
    }
}

async fn read(
    shared: &Arc<Shared>,
    service: ServiceId,
    content: ContentRef,
) -> Result<(Rules, String), Fault> {
    if content.kind != ContentKind::File {
        return Err(Fault::Broken(
            "the root names a directory: point the rules at a file".to_owned(),
        ));
    }
    if content.length > Limits::DOCUMENT as u64 {
        return Err(Fault::Broken(format!(
            "the document is longer than {} octets",
            Limits::DOCUMENT
        )));
    }
    let world = shared
        .world()
        .ok_or(Fault::Away("no config of the chain yet".to_owned()))?;
    let blob = Blob::new(shared, &world, service, content, 1, 0..content.length);
    let (bytes, _) = blob
        .whole()
        .await
        .map_err(|error| Fault::Away(error.to_string()))?;
    let text = String::from_utf8(bytes.to_vec())
        .map_err(|_| Fault::Broken("the document is not UTF-8".to_owned()))?;
    let rules = Rules::parse(&text, shared.rules.may_be_private());
    match rules {
        Ok(rules) => Ok((rules, text)),
        Err(error) => Err(Fault::Broken(error.to_string())),
    }
}
