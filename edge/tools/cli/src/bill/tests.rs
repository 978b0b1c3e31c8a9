//! Bills out of folders, and what a gateway's answers become.

use super::{folder::Manifest, gather, make, verdict, Causes, Folder};
use crate::{bill::print::Printed, error::exit_code, output::Output};
use codec::{Decode, Encode};
use indicatif::ProgressBar;
use selvedge_primitives_math::bill::{Bill, Evidence};
use selvedge_primitives_types::{Account, DeviceId, Epoch, InvoiceHead, ServiceId};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The golden bill, in a folder as it was fetched.
struct Scene {
    folder: Folder,
    path: TempDir,
    manifest: Manifest,
    heads: Vec<InvoiceHead>,
    shown: BTreeMap<(Epoch, ServiceId, DeviceId), Evidence>,
    vector: Value,
}

fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("it is text");
    hex::decode(digits.trim_start_matches("0x")).expect("it is hex")
}

fn scale<T: Decode>(value: &Value) -> T {
    T::decode(&mut bytes(value).as_slice()).expect("the vector can be read")
}

impl Scene {
    /// Everything, with the evidence in the folder or not.
    fn new(is_shown: bool) -> Self {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../vectors/bill.json");
        let text = fs::read(file).expect("the vector is there");
        let vector: Value = serde_json::from_slice(&text).expect("the vector is JSON");
        let path = TempDir::new().expect("there is room");
        let folder = Folder::create(path.path()).expect("it can be made");
        let list = |name: &str| vector[name].as_array().expect("a list").clone();
        let heads: Vec<InvoiceHead> = list("heads").iter().map(scale).collect();
        let shown: BTreeMap<_, _> = list("evidence")
            .iter()
            .map(|one| {
                let service = one["service"].as_str().expect("text").parse();
                let key = (
                    Epoch(one["epoch"].as_u64().expect("a number")),
                    ServiceId(service.expect("a number")),
                    scale(&one["gateway"]),
                );
                (key, scale(&one["evidence"]))
            })
            .collect();
        for head in &heads {
            folder.set_head(head).expect("it can be written");
        }
        if is_shown {
            for (key, evidence) in &shown {
                folder
                    .set_evidence(key, evidence)
                    .expect("it can be written");
            }
        }
        let customer = vector["customer"].as_str().expect("text").to_owned();
        let epochs = &vector["epochs"];
        let (from, to) = ("2024-10-03".into(), "2024-10-04".into());
        let manifest = Manifest {
            first_epoch: epochs[0].as_u64().expect("a number"),
            last_epoch: epochs[1].as_u64().expect("a number"),
            ..Manifest::new("0x07".into(), customer, from, to)
        };
        folder.set_manifest(&manifest).expect("it can be written");
        Self {
            folder,
            path,
            manifest,
            heads,
            shown,
            vector,
        }
    }

    fn bill(&self) -> (Bill, Causes) {
        let mut causes = Causes::new();
        let bill = make(
            &self.folder,
            &self.manifest,
            &mut causes,
            &ProgressBar::hidden(),
        );
        (bill.expect("it can be made"), causes)
    }

    fn printed(&self) -> Value {
        let (bill, causes) = self.bill();
        serde_json::to_value(Printed::new(&bill, &self.manifest, &causes)).expect("it is JSON")
    }

    fn exit_code(&self) -> u8 {
        verdict(&self.bill().0).map_or_else(|error| exit_code(&error), |()| 0)
    }

    fn line_file(&self, line: usize) -> PathBuf {
        let (epoch, service, gateway) = self.shown.keys().nth(line).expect("there is one");
        let name = format!("{epoch}-{service}-{}.json", hex::encode(gateway.0));
        self.path.path().join("lines").join(name)
    }
}

#[test]
fn the_golden_bill_comes_out_of_its_folder_without_a_network() {
    let scene = Scene::new(true);
    let again = Folder::open(scene.path.path()).expect("it is there");
    let manifest = again.manifest().expect("it can be read");
    assert_eq!(manifest, Some(scene.manifest.clone()));
    let (printed, expected) = (scene.printed(), &scene.vector["bill"]);
    assert_eq!(printed["totals"], expected["totals"]);
    assert_eq!(printed["heads_digest"], expected["heads"]);
    assert_eq!(printed["incomplete_epochs"], expected["incomplete"]);
    assert_eq!(printed["whole"], true);
    assert_eq!(printed["final"], false);
    let (bill, _) = scene.bill();
    assert_eq!(scene.exit_code(), 0);
    let text = super::print::human(&bill, &Printed::new(&bill, &scene.manifest, &Causes::new()));
    for words in ["egress bytes, free", "refund of void usage", "16 of 16"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn what_is_lost_in_a_folder_is_named() {
    let scene = Scene::new(true);
    fs::remove_file(scene.line_file(0)).expect("it is there");
    fs::write(scene.line_file(1), "{\"evidence\": \"0x00").expect("it can be written");
    let printed = scene.printed();
    let lines = printed["lines"].as_array().expect("a list");
    let missing: Vec<_> = lines
        .iter()
        .filter(|line| line["proof"] == "missing")
        .collect();
    assert_eq!(missing.len(), 2);
    let reasons = missing.iter().filter_map(|line| line["reason"].as_str());
    assert!(reasons.clone().any(|reason| reason.contains("EOF")));
    assert_eq!(scene.exit_code(), 6);

    fs::remove_file(scene.path.path().join("heads/102.json")).expect("it is there");
    assert_eq!(scene.printed()["unknown_epochs"], json!([[102, 102]]));
    assert_eq!(scene.exit_code(), 6);
}

#[test]
fn what_was_changed_in_a_folder_is_wrong() {
    let scene = Scene::new(true);
    let (key, mut evidence) = scene
        .shown
        .first_key_value()
        .map(|(key, shown)| (*key, shown.clone()))
        .expect("there is one");
    evidence.pages[0].leaves[1].body.paid.0[0] += 1;
    scene.folder.set_evidence(&key, &evidence).expect("written");
    let printed = scene.printed();
    assert_eq!(printed["sound"], false);
    assert_eq!(scene.exit_code(), 5);
    let wrong = |line: &&Value| line["proof"] == "wrong";
    let lines = printed["lines"].as_array().expect("a list");
    assert_eq!(lines.iter().filter(wrong).count(), 1);
}

#[test]
fn a_folder_of_another_kind_is_refused() {
    let scene = Scene::new(true);
    let file = scene.path.path().join("folder.json");
    for text in ["", "[]", "{\"format\": 1}"] {
        fs::write(&file, text).expect("it can be written");
        assert!(scene.folder.manifest().is_err(), "{text}");
    }
    let mut later = scene.manifest.clone();
    later.format += 1;
    scene
        .folder
        .set_manifest(&later)
        .expect("it can be written");
    assert!(scene.folder.manifest().is_err());
    fs::remove_file(&file).expect("it is there");
    assert_eq!(scene.folder.manifest().expect("nothing is wrong"), None);
    assert!(Folder::open(Path::new("/nowhere/at/all")).is_err());
}

/// A gateway that refuses its first request for being one too many, and then shows what it has. Counts requests.
async fn gateway(scene: &Scene) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, shown) = (asked.clone(), scene.shown.clone());
    let gateway = scene.heads[0].lines[0].gateway;
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path: Vec<_> = request.split(['/', '?', '=', ' ']).collect();
            // GET /audit/v1/{epoch}/customer/{account}/{service}?start={start}
            let number = |index: usize| path[index].parse::<u64>().expect("a number");
            let (epoch, service, start) = (Epoch(number(4)), ServiceId(number(7)), number(9));
            let answer = if count.fetch_add(1, Ordering::SeqCst) == 0 {
                "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n".to_owned()
            } else {
                let evidence: &Evidence = &shown[&(epoch, service, gateway)];
                let page = evidence
                    .pages
                    .iter()
                    .find(|page| u64::from(page.proof.start) == start);
                let page = page.expect("there is such a page");
                let hex = |bytes: Vec<u8>| format!("0x{}", hex::encode(bytes));
                let leaves = page.leaves.iter().map(|leaf| hex(leaf.encode()));
                let body = json!({
                    "entry": hex(evidence.entry.encode()),
                    "entry_proof": hex(evidence.entry_proof.encode()),
                    "leaves": leaves.collect::<Vec<_>>(),
                    "leaves_proof": hex(page.proof.encode()),
                })
                .to_string();
                let length = body.len();
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            };
            // Who asks may be gone.
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

#[tokio::test]
async fn what_a_gateway_shows_is_kept_and_a_silent_one_is_named() {
    let mut scene = Scene::new(false);
    let customer: Account = scale(&scene.vector["customer"]);
    let (url, asked) = gateway(&scene).await;
    // Nobody listens on a port that was given back.
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let away = format!("http://{}", closed.local_addr().expect("an address"));
    drop(closed);
    let here = scene.heads[0].lines[0].gateway;
    for line in scene.heads.iter_mut().flat_map(|head| &mut head.lines) {
        line.proof_url = if line.gateway == here { &url } else { &away }
            .clone()
            .into();
    }
    let output = Output::new(true);
    let causes = gather::lines(&output, customer, &scene.heads, &scene.folder);
    let causes = causes.await.expect("a silent gateway ends nothing");
    let silent = scene
        .shown
        .keys()
        .filter(|(_, _, gateway)| *gateway != here);
    assert!(causes.keys().eq(silent));
    assert!(causes.values().all(|cause| cause.starts_with(&away)));
    // Eight lines of two pages, and one more for the refusal.
    assert_eq!(asked.load(Ordering::SeqCst), 17);
    let (bill, _) = scene.bill();
    assert!(bill.is_sound());
    assert_eq!(
        bill.lines
            .iter()
            .filter(|line| line.outcome.is_ok())
            .count(),
        8
    );

    // The second run asks for what was lost or spoiled alone.
    let kept = scene
        .shown
        .keys()
        .position(|(_, _, gateway)| *gateway == here);
    fs::write(scene.line_file(kept.expect("there is one")), "{}").expect("it can be written");
    let causes = gather::lines(&output, customer, &scene.heads, &scene.folder);
    assert_eq!(causes.await.expect("as before").len(), 8);
    assert_eq!(asked.load(Ordering::SeqCst), 19);
}
