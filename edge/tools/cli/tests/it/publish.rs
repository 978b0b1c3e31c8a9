//! `selvedge put`, `get` and `ls` through a gateway, and against one that lies.

use selvedge_edge_tools_testkit::raw_origin::{Heard, Reply};
use selvedge_edge_tools_testkit::{wait_for, Net, Plan, RawOrigin};
use selvedge_primitives_types::{Account, ContentConfig, ContentKind, ContentRef, Pin};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};
use tokio::process::Command;

const CLI: &str = env!("CARGO_BIN_EXE_selvedge");
const SLICE: usize = 1 << 20;

/// The daemon, which is built beside.
fn daemon() -> PathBuf {
    let path = Path::new(CLI).with_file_name("selvedge-edge");
    let hint = "build the daemon too: cargo build --release -p selvedge-edge";
    assert!(path.exists(), "{} is not there; {hint}", path.display());
    path
}

/// A gateway and caches whose only service belongs to `//Alice`.
async fn net(caches: usize) -> Net {
    let plan = Plan {
        caches,
        ..Plan::default()
    };
    let mut net = Net::start(daemon(), plan).await;
    let alice = subxt_signer::sr25519::dev::alice().public_key().0;
    net.site().customer = Account(alice);
    net.push().await;
    net
}

fn public(net: &Net) -> String {
    format!("http://{}", net.gateways[0].address("audit"))
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(CLI);
    command
        .args(words)
        .env_remove("SELVEDGE_URL")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(words: &[&str]) -> Output {
    command(words).output().await.expect("it runs")
}

/// What the command answers as JSON.
async fn answer(words: &[&str]) -> Value {
    let output = run(&[words, &["--json"]].concat()).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The exit code and what was said.
async fn refused(words: &[&str]) -> (i32, String) {
    let output = run(words).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("it ended by itself"), said)
}

async fn put(gateway: &str, path: &Path, factor: &str) -> Value {
    let path = path.to_str().unwrap();
    let words = [
        "put",
        path,
        "--service",
        "1",
        "--no-pin",
        "--gateway",
        gateway,
    ];
    answer(&[&words[..], &["--factor", factor, "--suri", "//Alice"]].concat()).await
}

fn noise(length: usize) -> Vec<u8> {
    let octet = |i: usize| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3];
    (0..length).map(octet).collect()
}

/// A folder with a page, an empty file, an empty folder and a file of three slices.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir_all(at.join("docs/empty")).unwrap();
    fs::write(at.join("index.html"), "<h1>put</h1>").unwrap();
    fs::write(at.join("docs/a b.txt"), "text").unwrap();
    fs::write(at.join("docs/none"), "").unwrap();
    fs::write(at.join("long.bin"), noise(2 * SLICE + 77)).unwrap();
    folder
}

/// Every file below a folder with its bytes, and every folder.
fn contents(at: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut all = Vec::new();
    let mut waiting = vec![at.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(at).unwrap().to_owned();
            let bytes = path.is_file().then(|| fs::read(&path).unwrap());
            if bytes.is_none() {
                waiting.push(path);
            }
            all.push((name, bytes));
        }
    }
    all.sort();
    all
}

/// Pins what was put, as the chain would.
async fn pin(net: &mut Net, put: &Value) {
    let root = put["root"].as_str().unwrap().strip_prefix("0x").unwrap();
    let mut bytes = [0; 32];
    for (octet, digits) in bytes.iter_mut().zip(root.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    }
    let kind = match put["kind"].as_str().unwrap() {
        "directory" => ContentKind::Directory,
        _ => ContentKind::File,
    };
    let content = ContentRef {
        root: bytes,
        length: put["length"].as_u64().unwrap(),
        kind,
    };
    net.site().content = ContentConfig {
        pins: vec![Pin {
            content,
            bytes: put["bytes"].as_u64().unwrap(),
            factor: 2,
        }],
        ..ContentConfig::default()
    };
    net.push().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_comes_back_as_it_was_put() {
    let mut net = net(3).await;
    let (gateway, folder) = (public(&net), folder());
    let first = put(&gateway, folder.path(), "2").await;
    assert_eq!(first["owners"], 2);
    let url = first["url"].as_str().unwrap();
    let root = first["root"].as_str().unwrap();
    assert_eq!(url, format!("{gateway}/content/v1/{root}"));

    // Nothing is sent twice, and of a changed folder what has changed: a file and the directories above it.
    let again = put(&gateway, folder.path(), "2").await;
    assert_eq!(
        (&again["root"], &again["sent_slices"]),
        (&first["root"], &0.into())
    );
    fs::write(folder.path().join("docs/a b.txt"), "other").unwrap();
    let changed = put(&gateway, folder.path(), "2").await;
    assert_ne!(changed["root"], first["root"]);
    assert_eq!(changed["sent_slices"], 3);

    // Nobody reads what is not pinned.
    let to = tempfile::tempdir().unwrap();
    let target = to.path().join("got");
    let words = [
        "get",
        changed["url"].as_str().unwrap(),
        "-o",
        target.to_str().unwrap(),
    ];
    let (code, said) = refused(&words).await;
    assert_eq!(code, 3, "{said}");
    pin(&mut net, &changed).await;
    let got = answer(&words).await;
    assert_eq!((&got["files"], &got["root"]), (&4.into(), &changed["root"]));
    assert_eq!(contents(&target), contents(folder.path()));
    // Again: all of it is there.
    answer(&words).await;
    fs::write(target.join("index.html"), "mine").unwrap();
    let (code, said) = refused(&words).await;
    assert!(code == 2 && said.contains("--force"), "{code}: {said}");
    assert_eq!(fs::read(target.join("index.html")).unwrap(), b"mine");
    answer(&[&words[..], &["--force"]].concat()).await;
    assert_eq!(contents(&target), contents(folder.path()));

    let root = changed["root"].as_str().unwrap();
    let page = format!("{root}/docs/a b.txt");
    let printed = run(&["get", &page, "-o", "-", "--gateway", &gateway]).await;
    assert_eq!(printed.stdout, b"other");
    let listed = answer(&["ls", root, "--gateway", &gateway]).await;
    let names = |listed: &Value| -> Vec<String> {
        let rows = listed.as_array().unwrap().iter();
        rows.map(|row| row["path"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&listed), ["docs", "index.html", "long.bin"]);
    assert_eq!(listed[1]["media_type"], "text/html; charset=utf-8");
    let all = answer(&["ls", root, "--recursive", "--gateway", &gateway]).await;
    let expected = [
        "docs",
        "docs/a b.txt",
        "docs/empty",
        "docs/none",
        "index.html",
        "long.bin",
    ];
    assert_eq!(names(&all), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_was_killed_goes_on_where_it_was() {
    let net = net(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film");
    fs::write(&path, noise(48 * SLICE)).unwrap();
    let gateway = public(&net);
    let file = path.to_str().unwrap();
    let words = [
        "put",
        file,
        "--service",
        "1",
        "--no-pin",
        "--gateway",
        &gateway,
    ];
    let words = [&words[..], &["--factor", "1", "--suri", "//Alice"]].concat();
    let mut killed = command(&words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("a slice at the cache", || async {
        let metrics = net.caches[0].metrics().await;
        // The first question is a put without slices.
        let puts = metrics.sum("selvedge_cache_content_puts_total", &[]);
        (puts >= 3.0).then_some(())
    })
    .await;
    killed.kill().await.unwrap();
    let rest = answer(&words).await;
    let sent = rest["sent_slices"].as_u64().unwrap();
    assert!(sent < 48, "{sent} slices were sent again");
    assert_eq!(answer(&words).await["sent_slices"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_is_gone_on_with_and_checked() {
    let mut net = net(1).await;
    let (gateway, folder) = (public(&net), folder());
    let long = folder.path().join("long.bin");
    let put = put(&gateway, &long, "1").await;
    pin(&mut net, &put).await;
    let to = tempfile::tempdir().unwrap();
    let target = to.path().join("long");
    let root = put["root"].as_str().unwrap();
    let part = to.path().join(format!("long.{}.part", &root[2..10]));
    let words = [
        "get",
        root,
        "-o",
        target.to_str().unwrap(),
        "--gateway",
        &gateway,
    ];
    let bytes = fs::read(&long).unwrap();
    fs::write(&part, &bytes[..SLICE + 5]).unwrap();
    answer(&words).await;
    assert!(fs::read(&target).unwrap() == bytes && !part.exists());
    // What has decayed is not taken for the file.
    fs::remove_file(&target).unwrap();
    let mut decayed = bytes[..SLICE].to_vec();
    decayed[7] ^= 1;
    fs::write(&part, decayed).unwrap();
    let (code, said) = refused(&words).await;
    assert!(code == 2 && said.contains("decayed"), "{code}: {said}");
    assert!(!target.exists() && !part.exists());
    answer(&words).await;
    assert!(fs::read(&target).unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_is_named() {
    let net = net(1).await;
    let (gateway, folder) = (public(&net), folder());
    let at = folder.path().to_str().unwrap().to_owned();
    let words = [
        "put",
        &at,
        "--service",
        "1",
        "--no-pin",
        "--gateway",
        &gateway,
    ];
    let by = |who: &'static str| [&words[..], &["--suri", who]].concat();
    let (code, said) = refused(&by("//Bob")).await;
    assert!(code == 4 && said.contains("refuses"), "{code}: {said}");
    symlink("/etc/hostname", folder.path().join("link")).unwrap();
    let (code, said) = refused(&by("//Alice")).await;
    assert!(code == 2 && said.contains("link"), "{code}: {said}");
    let (code, said) = refused(&[&by("//Alice")[..], &["--follow"]].concat()).await;
    assert!(
        code == 2 && said.contains("out of the folder"),
        "{code}: {said}"
    );
    let absent = format!("{at}/absent");
    let words = [
        "put",
        &absent,
        "--service",
        "1",
        "--no-pin",
        "--gateway",
        &gateway,
    ];
    let (code, said) = refused(&[&words[..], &["--suri", "//Alice"]].concat()).await;
    assert!(code == 2 && said.contains("absent"), "{code}: {said}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A gateway that describes any root as a blob of this length, and gives these bytes for its first slice.
async fn liar(kind: &'static str, length: u64, slice: Vec<u8>) -> RawOrigin {
    RawOrigin::start(move |heard: &Heard| {
        if heard.target().contains("?slice=") {
            return Reply::listen(slice.clone());
        }
        let root = heard.target().rsplit('/').next().unwrap_or_default();
        let said = serde_json::json!({
            "root": root, "length": length, "kind": kind, "media_type": null, "service": 1,
        });
        Reply::listen(ok(said.to_string().as_bytes()))
    })
    .await
}

async fn get_from(liar: &RawOrigin, root: &str, to: &Path) -> (i32, String) {
    let to = to.to_str().unwrap();
    refused(&["get", root, "-o", to, "--gateway", &liar.url()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_lies_is_caught() {
    let to = tempfile::tempdir().unwrap();
    let target = to.path().join("got");
    let text = b"what was asked for";
    let root = format!("0x{}", hex(blake3::hash(text).as_bytes()));
    let honest = text.len() as u64;
    for (what, kind, length, slice, code) in [
        ("other bytes", "file", honest, ok(b"what was not asked"), 5),
        (
            "a longer file",
            "file",
            honest + 1,
            ok(b"what was asked for!"),
            5,
        ),
        ("half of it", "file", honest, ok(b"what"), 5),
        ("endless bytes", "file", honest, ok(&[0; 4096]), 6),
        ("a huge file", "file", 64 << 30, ok(text), 5),
        ("no directory", "directory", honest, ok(text), 5),
        ("a huge directory", "directory", 1 << 40, ok(text), 5),
    ] {
        let liar = liar(kind, length, slice).await;
        let (found, said) = get_from(&liar, &root, &target).await;
        assert_eq!(found, code, "{what}: {said}");
        let left = contents(to.path());
        assert!(
            left.iter().all(|(_, bytes)| bytes.is_none()),
            "{what}: {left:?}"
        );
        let _ = fs::remove_dir(&target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_leave_the_folder_write_nothing() {
    let to = tempfile::tempdir().unwrap();
    let target = to.path().join("got");
    for name in ["../outside", "..", "a/b", "a\0"] {
        let mut directory = vec![4, 4 * name.len() as u8];
        directory.extend(name.as_bytes());
        directory.extend(blake3::hash(b"").as_bytes());
        directory.extend([0; 9]);
        directory.push(4 * 10);
        directory.extend(b"text/plain");
        let root = format!("0x{}", hex(blake3::hash(&directory).as_bytes()));
        let liar = liar("directory", directory.len() as u64, ok(&directory)).await;
        let (code, said) = get_from(&liar, &root, &target).await;
        assert_eq!(code, 5, "{name}: {said}");
    }
    assert!(contents(to.path()).iter().all(|(_, bytes)| bytes.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stalls_is_left() {
    let to = tempfile::tempdir().unwrap();
    let target = to.path().join("got");
    let root = format!("0x{}", hex(blake3::hash(b"text").as_bytes()));
    // A head that promises what never comes.
    let slice = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nte".to_vec();
    let liar = liar("file", 4, slice).await;
    let (code, said) = get_from(&liar, &root, &target).await;
    assert!(
        code == 6 && said.contains("no answer within"),
        "{code}: {said}"
    );
}
