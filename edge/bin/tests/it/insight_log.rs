//! The access log of a service, followed by its customer.

use crate::insight::{public, token};
use crate::net;
use selvedge_edge_tools_testkit::{wait_for, Ask, Download, Line, Net, Site};
use selvedge_primitives_types::ReadScope;
use serde_json::Value;

/// A log that is being read.
struct Log {
    _line: Line,
    download: Download,
    text: Vec<u8>,
    objects: Vec<Value>,
}

impl Log {
    /// Follows the first site's at the first gateway.
    async fn follow(net: &Net, receive_buffer: Option<u32>) -> Self {
        let mut client = public(&net.gateways[0]);
        if let Some(octets) = receive_buffer {
            client = client.receive_buffer(octets);
        }
        let mut line = client.connect().await.unwrap();
        let ask = Ask::get("/logs/v1/1").field("authorization", &token(net, ReadScope::Logs));
        let download = line.begin(ask).await.unwrap();
        assert_eq!(download.status, 200);
        assert_eq!(download.fields["content-type"], "application/x-ndjson");
        Self {
            _line: line,
            download,
            text: Vec::new(),
            objects: Vec::new(),
        }
    }

    /// Reads what has come, at least something.
    async fn read(&mut self) {
        let data = self.download.next().await.unwrap();
        self.text.extend_from_slice(&data.expect("the log goes on"));
        let whole = self.text.iter().rposition(|octet| *octet == b'\n');
        let rest = self.text.split_off(whole.map_or(0, |end| end + 1));
        for line in std::mem::replace(&mut self.text, rest).split(|octet| *octet == b'\n') {
            if !line.is_empty() {
                let object = serde_json::from_slice(line).expect("a line is JSON");
                self.objects.push(object);
            }
        }
    }

    /// How many lines came, and how many were said to be lost.
    fn count(&self) -> (u64, u64) {
        let lost = self
            .objects
            .iter()
            .filter_map(|object| object["lost"].as_u64());
        let lines = self
            .objects
            .iter()
            .filter(|object| object["lost"].is_null());
        (lines.count() as u64, lost.sum())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_follows_the_lines_of_its_own_service() {
    let mut net = net(1, 1).await;
    let url = net.origin.url();
    net.chain.sites.push(Site::numbered(2, "other.test", url));
    net.push().await;
    let target = "/page?len=500&cc=max-age=600";
    net.visitor(0).get(target).await;
    let before = wait_for("the first line", || async {
        let lines = net.gateways[0].access_log();
        (lines.len() == 1).then_some(1)
    })
    .await;
    let mut log = Log::follow(&net, None).await;
    let asks = [
        Ask::get(target),
        Ask::get(target).field("x-nobody-knows", "1"),
        Ask::get("/none?status=404&cc=no-store"),
        Ask::post("/form", "text"),
        Ask::get(target).field("cdn-loop", "selvedge"),
        Ask::get("/long?len=300000&cc=max-age=600"),
        Ask::get("/long?len=300000&cc=max-age=600"),
    ];
    for ask in &asks {
        net.visitor(0).ask(ask.clone()).await.unwrap();
        net.gateways[0].visitor("other.test").get("/secret").await;
    }
    while log.objects.len() < asks.len() {
        log.read().await;
    }
    let mut told = log.objects;
    let mut logged = wait_for("all lines in the file", || async {
        let lines = net.gateways[0].access_log();
        (lines.len() == before + 2 * asks.len()).then_some(lines)
    })
    .await;
    logged.retain(|line| line["service"] == 1);
    logged.remove(0);
    // Two answers that end at the same time may be told in either order.
    let id = |line: &Value| line["request_id"].as_str().unwrap().to_owned();
    told.sort_by_key(id);
    logged.sort_by_key(id);
    assert_eq!(told, logged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_told_how_much_it_missed() {
    let net = net(1, 1).await;
    let mut log = Log::follow(&net, Some(16 * 1024)).await;
    let target = format!("/page?len=1&cc=max-age=600&pad={}", "x".repeat(6_000));
    let mut visitor = net.visitor(0).connect().await.unwrap();
    let made = 1_500;
    // More than the queue and the system's buffers hold together, 9 MB, and hardly any is read.
    for number in 0..made {
        visitor.ask(Ask::get(&target)).await.unwrap();
        if number % 100 == 99 {
            log.read().await;
        }
    }
    while log.count().0 + log.count().1 < made {
        log.read().await;
    }
    let (lines, lost) = log.count();
    assert_eq!(lines + lost, made);
    assert!(lost > 0 && lines > 0, "{lost} of {made}");
    // It goes on from here, and misses nothing while it keeps up.
    visitor.ask(Ask::get("/next?cc=no-store")).await.unwrap();
    let told = log.objects.len();
    while log.objects.len() == told {
        log.read().await;
    }
    assert_eq!(log.objects[told]["target"], "/next?cc=no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn few_may_listen_and_who_leaves_makes_room() {
    let mut net = net(1, 1).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(Log::follow(&net, None).await.download);
    }
    let ask = || Ask::get("/logs/v1/1").field("authorization", &token(&net, ReadScope::Logs));
    let client = public(&net.gateways[0]);
    assert_eq!(client.ask(ask()).await.unwrap().status, 503);
    all.pop();
    let again = wait_for("room", || async {
        let mut line = client.connect().await.unwrap();
        let log = line.begin(ask()).await.unwrap();
        (log.status == 200).then_some(log)
    })
    .await;
    all.push(again);
    // A gateway that ends tells so, and does not wait for them.
    net.gateways[0].signal("TERM").await;
    for log in all {
        assert!(log.whole().await.unwrap().body.is_empty());
    }
    assert!(net.gateways[0].ended().await.success());
}
