//! What tells answers apart, and what no visitor can do about it.

use http::{HeaderMap, Method, StatusCode};
use selvedge_edge_core_rules::KEY_FIELD;

use crate::{get, rules, rules as rules_of};

#[test]
fn parameters_that_do_not_count_are_not_sent() {
    let rules = rules("[[rule]]\nkey.query = { except = ['utm_*'], sort = true }");
    let target = |sent: &str| get(sent).plan(&rules).target;
    assert_eq!(target("/a?b=2&utm_x=1&a=1"), Some("/a?a=1&b=2".to_owned()));
    assert_eq!(target("/a?a=1&b=2"), None);
    assert_eq!(target("/a?utm_x=1"), Some("/a".to_owned()));
    // What is for the origin alone arrives as it was sent.
    let post = get("/a?b=2&utm_x=1").method(Method::POST).plan(&rules);
    assert_eq!(post.target, None);
    // What it changed is stored under the address that counts.
    assert_eq!(post.key, Some("/a?b=2".to_owned()));
}

#[test]
fn cookies_that_count_are_in_the_key_and_the_others_stay_here() {
    let rules = rules("[[rule]]\nkey.cookies = ['lang']");
    let fields = |cookie: &str| {
        get("/")
            .field("cookie", cookie)
            .plan(&rules)
            .fields
            .unwrap()
    };
    let german = fields("session=secret; lang=de");
    assert_eq!(german["cookie"], "lang=de");
    assert_ne!(german[KEY_FIELD], fields("lang=en")[KEY_FIELD]);
    assert_eq!(german[KEY_FIELD], fields("lang=de; other=1")[KEY_FIELD]);
    assert!(!fields("session=secret").contains_key("cookie"));
    // Nobody chooses the variant by hand.
    let claimed = get("/")
        .field(KEY_FIELD, "c-lang=de")
        .plan(&rules)
        .fields
        .unwrap();
    assert!(!claimed.contains_key(KEY_FIELD));

    let plan = get("/").field("cookie", "lang=de").plan(&rules);
    let mut headers = HeaderMap::new();
    headers.insert("vary", "accept-encoding, Cookie".parse().unwrap());
    plan.on_origin(StatusCode::OK, &mut headers);
    assert_eq!(headers["vary"], format!("accept-encoding, {KEY_FIELD}"));
    let ask = get("/").field("cookie", "lang=de");
    plan.on_answer(&ask.request(), &mut headers);
    assert_eq!(headers["vary"], "accept-encoding, cookie");
}

#[test]
fn a_field_that_rules_set_for_some_tells_answers_apart() {
    let rules = rules(
        "[[rule]]\nwhen.header.user-agent = '*Mobile*'\nrequest.set = { x-device = 'phone' }",
    );
    let phone = get("/").field("user-agent", "a Mobile b").plan(&rules);
    assert_eq!(phone.fields.as_ref().unwrap()["x-device"], "phone");
    let desk = get("/").field("user-agent", "desk").plan(&rules);
    assert!(desk.fields.is_none());
    for plan in [&phone, &desk] {
        let mut headers = HeaderMap::new();
        plan.on_origin(StatusCode::OK, &mut headers);
        assert_eq!(headers["vary"], "x-device");
        plan.on_answer(&get("/").request(), &mut headers);
        assert_eq!(headers["vary"], "user-agent");
    }
    // An answer that nothing was said of stays as it is stored.
    let mut headers = HeaderMap::new();
    phone.on_origin(StatusCode::NOT_MODIFIED, &mut headers);
    assert!(headers.is_empty());
}

#[test]
fn the_source_that_is_asked_counts() {
    let rules = rules(
        "[[origin]]\nname = 'b'\nservers = 'https://b.test'\n\
         [[rule]]\nwhen.cookie.beta = true\norigin = 'b'",
    );
    let plan = get("/").field("cookie", "beta=1").plan(&rules);
    assert_eq!(plan.fields.unwrap()[KEY_FIELD], "o-b");
    assert!(!get("/")
        .plan(&rules)
        .fields
        .unwrap()
        .contains_key(KEY_FIELD));
}

#[test]
fn what_is_forced_is_fetched_as_nobody() {
    let rules = rules(
        "[[rule]]\ncache = { edge_ttl = '1m', force = true }\n\
         [[rule]]\nwhen.cookie.'login*' = true\ncache.off = true",
    );
    let plan = get("/").field("cookie", "a=1").plan(&rules);
    assert!(plan.store.is_forced && !plan.fields.unwrap().contains_key("cookie"));
    let plan = get("/").field("cookie", "login_7=1").plan(&rules);
    assert!(plan.store.is_off);
    // Those who are excepted have a key of their own.
    let rules = rules_of(
        "[[rule]]\nwhen.not.cookie.login = true\ncache = { edge_ttl = '1m', force = true }",
    );
    let key = |cookie: &str| {
        let plan = get("/").field("cookie", cookie).plan(&rules);
        plan.fields.unwrap().get(KEY_FIELD).cloned()
    };
    assert_ne!(key("login=1"), key("a=1"));
    assert_eq!(key("b=1"), key("a=1"));
}

#[test]
fn too_much_that_counts_is_not_stored() {
    let rules = rules("[[rule]]\nkey.cookies = ['*']");
    let long = format!("a={}", "x".repeat(2_000));
    let plan = get("/").field("cookie", &long).plan(&rules);
    assert!(plan.is_overlong && !plan.fields.unwrap().contains_key(KEY_FIELD));
}
