//! Redirects that lead nowhere.

use selvedge_edge_core_rules::{Overrun, Rules};

use crate::{get, rules};

#[test]
fn a_circle_of_paths_is_found_when_the_document_is_read() {
    for text in [
        "[[rule]]\nwhen.path = '/a'\nredirect.to = '/a'",
        "[[rule]]\nwhen.path = '/a'\nredirect.to = '/b'\n[[rule]]\nwhen.path = '/b'\nredirect.to = '/a'",
        "[[rule]]\nwhen.path = '/a/**'\nredirect.to = '/a/b/$1'",
        "[[rule]]\nredirect.to = 'https://${host}${path}'",
        "[[rule]]\nwhen.host = 'a.test'\nwhen.path = '/x'\nredirect.to = 'https://a.test/%78'",
    ] {
        let text = format!("version = 1\n{text}");
        let error = Rules::parse(&text, false).unwrap_err();
        assert!(error.reason.contains("in a circle"), "{text}: {error}");
        assert!(error.line >= 2, "{error}");
    }
}

#[test]
fn what_ends_is_no_circle() {
    for text in [
        "[[rule]]\nwhen.path = '/a'\nredirect.to = '/a/'",
        "[[rule]]\nwhen.scheme = 'http'\nredirect.to = 'https://${host}${path}'",
        "[[rule]]\nwhen.path = '/old/**'\nredirect.to = '/new/$1'",
        "[[rule]]\nwhen.path = '/**'\nwhen.not.path = '/de/**'\nredirect.to = '/de/$1'",
        "[[rule]]\nwhen.host = 'a.test'\nredirect.to = 'https://www.a.test${path}'",
    ] {
        rules(text);
    }
}

#[test]
fn a_circle_that_only_a_visitor_closes_ends_there() {
    let rules = rules(
        "[[rule]]\nwhen.cookie.x = true\nwhen.path = '/a'\nredirect.to = '/b'\n\
         [[rule]]\nwhen.header.y = true\nwhen.path = '/b'\nredirect.to = '/a'",
    );
    assert_eq!(
        get("/a").field("cookie", "x=1").answer(&rules),
        (302, "/b".to_owned())
    );
    let both = get("/a").field("cookie", "x=1").field("y", "1");
    assert_eq!(both.try_plan(&rules).unwrap_err(), Overrun::Circle);
}
