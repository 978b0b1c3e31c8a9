//! Answers as the rules want them to leave.

use bytes::Bytes;
use http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use selvedge_edge_core_rules::Plan;
use selvedge_edge_drivers_http::{empty, full};

use crate::exchange::Exchange;
use crate::failure::{Failure, OwnPage};
use crate::gateway::Shared;
use crate::served::Served;

/// Fields about a body that is not sent.
const OF_THE_BODY: [HeaderName; 8] = [
    header::ACCEPT_RANGES,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_RANGE,
    header::ETAG,
    header::LAST_MODIFIED,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

impl Shared {
    /// Finishes an answer: the customer's page for failures, coding, fields. `asked` is the visitor's
    /// own request.
    ///
    /// Errors: a body that breaks off before it is compressed.
    pub(crate) async fn finish_by_rules(
        &self,
        asked: (&Exchange, &HeaderMap),
        ruled: &Exchange,
        mut served: Served,
    ) -> Result<Served, Failure> {
        let Some(plan) = &ruled.rules else {
            return Ok(served);
        };
        let is_head = ruled.method == Method::HEAD;
        if let Some(page) = page_of(plan, served.status) {
            for name in &OF_THE_BODY {
                served.headers.remove(name);
            }
            let length = HeaderValue::from(page.text.len() as u64);
            served.headers.insert(header::CONTENT_LENGTH, length);
            if let Ok(kind) = HeaderValue::from_str(&page.kind) {
                served.headers.insert(header::CONTENT_TYPE, kind);
            }
            served.body = if is_head {
                empty()
            } else {
                full(Bytes::from(page.text))
            };
        }
        if let Some(compression) = plan.compression() {
            served = self.compress(compression, asked.1, is_head, served).await?;
        }
        plan.on_answer(&asked.0.as_asked(asked.1), &mut served.headers);
        Ok(served)
    }
}

/// A failure with the page that the customer wants for it.
pub(crate) fn own_page(ruled: &Exchange, mut failure: Failure) -> Failure {
    let plan = ruled.rules.as_ref();
    let page = plan.and_then(|plan| page_of(plan, failure.reason.status()));
    failure.page = page.map(Box::new);
    failure
}

fn page_of(plan: &Plan, status: StatusCode) -> Option<OwnPage> {
    let (text, kind) = plan.rules().error_page(status)?;
    Some(OwnPage {
        text: text.to_owned(),
        kind: kind.to_owned(),
    })
}
