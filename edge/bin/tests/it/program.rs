//! The program's words: keys, and configurations that are told before anything starts.

use crate::PROGRAM;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

fn run(folder: &Path, words: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SELVEDGE_EDGE_")) {
        command.env_remove(name);
    }
    let output = command.current_dir(folder).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn token(folder: &Path) {
    fs::write(
        folder.join("control.token"),
        "0123456789abcdef0123456789abcdef\n",
    )
    .unwrap();
}

#[test]
fn a_key_is_made_once_shown_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (is_made, made, _) = run(folder.path(), &["key", "generate"]);
    assert!(
        is_made && made.starts_with("0x") && made.trim().len() == 66,
        "{made}"
    );
    let mode = fs::metadata(folder.path().join("device.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let (is_shown, shown, _) = run(folder.path(), &["key", "show"]);
    assert!(is_shown && shown == made);
    let (is_made, _, said) = run(folder.path(), &["key", "generate"]);
    assert!(!is_made && said.contains("never replaced"), "{said}");
    assert_eq!(run(folder.path(), &["key", "show"]).1, made);
}

#[test]
fn a_configuration_is_judged_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let says = |text: &str, expected: &str| {
        fs::write(path.join("edge.toml"), text).unwrap();
        for word in ["check-config", "run"] {
            let (is_good, _, said) = run(path, &[word]);
            assert!(
                !is_good && said.contains(expected),
                "{word} {text:?}: {said}"
            );
        }
    };
    let (is_good, _, said) = run(path, &["check-config"]);
    assert!(!is_good && said.contains("edge.toml"), "{said}");
    says("role = \"gateway\"", "device key");
    assert!(run(path, &["key", "generate"]).0);
    says("role = \"gateway\"", "token file");
    fs::write(path.join("control.token"), "short").unwrap();
    says("role = \"gateway\"", "token");
    token(path);
    says("role = \"toaster\"", "toaster");
    says("role = \"gateway\"\ngatewey = 1", "gatewey");
    says(
        "role = \"gateway\"\n[control]\nlisten = \"0.0.0.0:9801\"",
        "loopback",
    );
    says(
        "role = \"gateway\"\n[gateway]\nhttp = []",
        "listens somewhere",
    );
    says(
        "role = \"gateway\"\n[gateway]\nhttps = [\"127.0.0.1:0\"]",
        "certs_dir",
    );
    says(
        "role = \"gateway\"\n[gateway]\nredirect_https = true",
        "redirect_https",
    );
    says(
        "role = \"gateway\"\n[gateway]\norigin_head_seconds = 61",
        "origin_head_seconds",
    );
    says("role = \"cache\"\n[cache]\nquota_mib = 0", "quota_mib");
    says("role = \"cache\"\n[log]\nfilter = \"a=b=c\"", "log.filter");
    fs::write(path.join("edge.toml"), "role = \"gateway\"").unwrap();
    fs::set_permissions(path.join("device.key"), fs::Permissions::from_mode(0o644)).unwrap();
    says("role = \"gateway\"", "chmod 600");
    fs::set_permissions(path.join("device.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let (is_good, said, _) = run(path, &["check-config"]);
    assert!(is_good && said.contains("in order"), "{said}");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("edge.toml"),
        "role = \"cache\"\nstate_dir = \"of-the-file\"",
    )
    .unwrap();
    let printed = |environment: Option<&str>, flag: Option<&str>| {
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(folder.path())
            .arg("print-config")
            .env_remove("SELVEDGE_EDGE_STATE_DIR");
        command.envs(environment.map(|value| ("SELVEDGE_EDGE_STATE_DIR", value)));
        command.args(
            flag.map(|value| ["--state-dir", value])
                .into_iter()
                .flatten(),
        );
        let output = command.output().unwrap();
        assert!(output.status.success());
        let table: toml::Table =
            toml::from_str(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
        table["state_dir"].as_str().unwrap().to_owned()
    };
    assert!(printed(None, None).ends_with("of-the-file"));
    assert_eq!(printed(Some("/environment"), None), "/environment");
    assert_eq!(printed(Some("/environment"), Some("/flag")), "/flag");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_guide_names_every_metric() {
    let guide = include_str!("../../../../docs/operate/edge-daemon.md");
    let net = crate::net(1, 1).await;
    assert_eq!(net.visitor(0).get("/page?cc=max-age=600").await.status, 200);
    assert_eq!(
        net.gateways[0]
            .visitor("nobody.test")
            .get("/page")
            .await
            .status,
        404
    );
    net.stored(1).await;
    for daemon in [&net.gateways[0], &net.caches[0]] {
        let metrics = daemon.metrics().await;
        let prefix = format!("selvedge_{}_", daemon.role());
        for line in metrics
            .text()
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
        {
            let (name, kind) = line.split_once(' ').unwrap();
            let name = name
                .strip_prefix(&prefix)
                .unwrap_or_else(|| panic!("{name}"));
            let suffix = if kind == "counter" { "_total" } else { "" };
            assert!(guide.contains(&format!("{name}{suffix}")), "{name}");
        }
    }
}
