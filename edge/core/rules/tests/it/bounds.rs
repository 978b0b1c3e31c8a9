//! No document and no request takes longer than it may.

use std::sync::Arc;

use proptest::prelude::*;
use selvedge_edge_core_rules::{Limits, Overrun, Rules};

use crate::{get, rules};

#[test]
fn steps_are_counted_before_they_are_taken() {
    let pattern = "(a|b|ab)*c".repeat(8);
    let rule = format!("[[rule]]\nwhen.path_regex = '{pattern}'\n");
    let rules = rules(&rule.repeat(Limits::EXPRESSIONS));
    let long = format!("/{}", "ab".repeat(Limits::PATH / 2 - 1));
    // A search that goes back over what it read would not end within the age of the world.
    assert_eq!(get(&long).try_plan(&rules).unwrap_err(), Overrun::Steps);
    assert!(get("/ab").try_plan(&rules).is_ok());
    let too_long = format!("/{}", "a".repeat(Limits::PATH));
    assert_eq!(get(&too_long).try_plan(&rules).unwrap_err(), Overrun::Steps);
}

#[test]
fn names_and_values_are_steps_too() {
    let names: Vec<String> = (0..60).map(|n| format!("a{n} = '*x*'")).collect();
    let names = names.join(", ");
    let rule = format!("[[rule]]\nwhen.not.query = {{ {names} }}\n");
    let rules = rules(&rule.repeat(60));
    let long: String = (0..60)
        .map(|n| format!("&a{n}={}", "x".repeat(100)))
        .collect();
    assert_eq!(
        get(&format!("/?{long}")).try_plan(&rules).unwrap_err(),
        Overrun::Steps
    );
}

#[test]
fn a_pattern_that_takes_too_much_memory_is_refused_with_its_line() {
    let text = "version = 1\n[[rule]]\nwhen.path_regex = '([a-z0-9]{1,40}/){1,12}'\n";
    let error = Rules::parse(text, false).unwrap_err();
    assert_eq!(error.line, 3);
    assert!(error.reason.contains("size limit"), "{}", error.reason);
}

/// Lines of which documents are made.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("[[rule]]".to_owned()),
        "when\\.(path|path_regex|host|method|client|scheme) = '[a-z/*.$()0-9:]{0,8}'",
        "when\\.(query|header|cookie)\\.[a-z]{1,3} = ('[a-z*]{0,3}'|true|false)",
        "(redirect\\.to|rewrite) = '/?[a-z/$1{}h]{0,8}'",
        "cache\\.(edge_ttl|browser_ttl|error_ttl) = '[0-9]{1,3}[smhd]'",
        "cache\\.(off|force) = (true|false)",
        "key\\.query\\.(only|except) = \\['[a-z*]{0,3}'\\]",
        "key\\.(cookies|headers) = '[a-z*]{0,3}'",
        "(request|response)\\.(set|append) = \\{ [a-z-]{1,6} = '[ -~&&[^']]{0,6}' \\}",
        "(deny|page|hotlink|compress|limit|cors) = \\{[ -~]{0,10}\\}",
        "last = true",
        "[ -~]{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_document_and_no_request_makes_it_panic(
        lines in proptest::collection::vec(line(), 0..12),
        target in "/[ -~&&[^#]]{0,20}",
        cookie in "[ -~]{0,20}",
    ) {
        let text = format!("version = 1\n{}", lines.join("\n"));
        let Ok(rules) = Rules::parse(&text, false) else { return Ok(()) };
        let rules = Arc::new(rules);
        let ask = get(&target).field("cookie", &cookie);
        let Ok(plan) = ask.try_plan(&rules) else { return Ok(()) };
        let mut headers = http::HeaderMap::new();
        plan.on_origin(http::StatusCode::OK, &mut headers);
        plan.on_answer(&ask.request(), &mut headers);
        if let Some(target) = &plan.target {
            prop_assert!(target.starts_with('/') && !target.contains(['\r', '\n']), "{}", target);
        }
        // The same request gets the same.
        let again = ask.plan(&rules);
        prop_assert_eq!((again.target, again.fields, again.answer), (plan.target, plan.fields, plan.answer));
    }
}
