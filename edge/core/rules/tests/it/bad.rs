//! Documents that are not taken: where, and what to do.

use selvedge_edge_core_rules::{Limits, Rules};

/// Line, column and a word of the reason.
const CASES: &[(&str, usize, usize, &str)] = &[
    ("", 1, 1, "version"),
    ("version = 2", 1, 11, "version = 1"),
    (
        "version = 1\n[[rule]]\nwhen.pth = '/a'",
        3,
        6,
        "unknown field",
    ),
    (
        "version = 1\n[[rule]]\nwhen.path = 'a'",
        3,
        13,
        "begins with",
    ),
    (
        "version = 1\n[[rule]]\nwhen.path = ['/a', 'b']",
        3,
        13,
        "begins with",
    ),
    (
        "version = 1\n[[rule]]\nwhen.path_regex = '('",
        3,
        19,
        "regular expression",
    ),
    (
        "version = 1\n[[rule]]\nwhen.client = '10.0.0.1/8'",
        3,
        15,
        "beyond its prefix",
    ),
    (
        "version = 1\n[[rule]]\ncache.edge_ttl = '1 week'",
        3,
        18,
        "not a time",
    ),
    (
        "version = 1\n[[rule]]\ncache.edge_ttl = 60",
        3,
        18,
        "expected a string",
    ),
    (
        "version = 1\n[[rule]]\nredirect.to = 'https://$1/'",
        3,
        15,
        "visitors would choose",
    ),
    ("version = 1\n[[rule]]\nrewrite = '/a b'", 3, 11, "blanks"),
    (
        "version = 1\n\n[[rule]]\nredirect = { to = '/b', status = 200 }",
        3,
        1,
        "one of 301",
    ),
    (
        "version = 1\n[[rule]]\nredirect.to = '/$1'",
        2,
        1,
        "more captures",
    ),
    (
        "version = 1\n[[rule]]\ndeny = {}\npage.text = 'x'",
        2,
        1,
        "a rule has one",
    ),
    (
        "version = 1\n[[rule]]\norigin = 'b'",
        2,
        1,
        "no `[[origin]]`",
    ),
    (
        "version = 1\n[[rule]]\nsigned.keys = 'k'",
        2,
        1,
        "no `[[key]]`",
    ),
    (
        "version = 1\n[[key]]\nid = 'k'\ned25519 = '00'",
        2,
        1,
        "public key",
    ),
    (
        "version = 1\n[[origin]]\nname = 'a'\nservers = 'http://10.0.0.1'",
        2,
        1,
        "a private address",
    ),
    (
        "version = 1\n[[origin]]\nname = 'a'\nservers = 'http://[::1]:80/'",
        2,
        1,
        "loopback",
    ),
    (
        "version = 1\n[[rule]]\nresponse.set = { content-length = '0' }",
        2,
        1,
        "belongs to the connection",
    ),
    (
        "version = 1\n[[rule]]\nrequest.set = { x-forwarded-for = '1' }",
        2,
        1,
        "belongs to the connection",
    ),
    (
        "version = 1\n[[rule]]\nrequest.set = { authorization = 'x' }",
        2,
        1,
        "holds no secret",
    ),
    (
        "version = 1\n[[rule]]\nresponse.set = { x = \"a\\nb\" }",
        3,
        22,
        "one line",
    ),
    (
        "version = 1\n[[rule]]\nkey.headers = 'cookie'",
        2,
        1,
        "key.cookies",
    ),
    (
        "version = 1\n[[rule]]\ncors = { origins = '*', credentials = true }",
        2,
        1,
        "name the sites",
    ),
    (
        "version = 1\n[[rule]]\nlimit = { requests = 0, per = '1s' }",
        2,
        1,
        "limit.requests",
    ),
    ("version = 1\nprefetch = ['a']", 2, 12, "is no path"),
    ("version = 1\n[[rule", 2, 7, ""),
    ("version = 1\nversion = 1", 2, 1, "duplicate"),
];

#[test]
fn a_fault_has_its_place_and_its_reason() {
    for (text, line, column, word) in CASES {
        let error = Rules::parse(text, false).map(|_| ()).unwrap_err();
        assert!(error.reason.contains(word), "{text}: {error}");
        assert_eq!(
            (error.line, error.column),
            (*line, *column),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let rule = |body: &str| format!("[[rule]]\n{body}\n");
    let many = |count: usize, body: &str| format!("version = 1\n{}", rule(body).repeat(count));
    assert!(Rules::parse(&many(Limits::RULES, ""), false).is_ok());
    let reason = |text: &str| Rules::parse(text, false).map(|_| ()).unwrap_err().reason;
    assert!(reason(&many(Limits::RULES + 1, "")).contains("256 rules"));
    assert!(reason(&" ".repeat(Limits::DOCUMENT + 1)).contains("longer than"));
    let expressions = many(Limits::EXPRESSIONS + 1, "when.path_regex = 'a'");
    assert!(reason(&expressions).contains("64 patterns"));
    let key = "[[key]]\nid = 'k'\ned25519 = 'ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c'\n";
    let signed = format!("{}{key}", many(Limits::SIGNED + 1, "signed.keys = 'k'"));
    assert!(reason(&signed).contains("8 rules want"));
    let list = format!("when.path = [{}]", "'/a',".repeat(Limits::LIST + 1));
    assert!(reason(&many(1, &list)).contains("64 members"));
    let fields: String = (0..=Limits::KEY_FIELDS)
        .map(|n| format!("'x-{n}',"))
        .collect();
    assert!(reason(&many(1, &format!("key.headers = [{fields}]"))).contains("stored once more"));
    let deep = format!("when.not{} = '/a'", ".not".repeat(2_000) + ".path");
    assert!(!reason(&many(1, &deep)).is_empty());
    let nested = format!("when = {}1{}", "{ not = ".repeat(5_000), "}".repeat(5_000));
    assert!(!reason(&many(1, &nested)).is_empty());
}
