//! Who owns a host name: a name server of the test's own, and a site that is served only under the names that are proven.

use anyhow::Context;
use hickory_resolver::proto::{
    op::{Message, ResponseCode},
    rr::{rdata::TXT, RData, Record},
};
use http::StatusCode;
use selvedge_devnet::{client, process::wait_for, Network};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::UdpSocket, task::JoinHandle};

/// A name that is the customer's, and one that is not.
const OWN: &str = "shop.example.org";
const FOREIGN: &str = "bank.example.org";

/// A name server that knows what the test tells it.
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    texts: Arc<Mutex<HashMap<String, String>>>,
    serving: JoinHandle<()>,
}

impl NameServer {
    /// Starts it on a free port of the loopback.
    pub async fn start() -> anyhow::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let texts = Arc::new(Mutex::new(HashMap::new()));
        let known = texts.clone();
        let serving = tokio::spawn(async move {
            let mut buffer = [0; 1_500];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                if let Some(answer) = answer(&buffer[..length], &known) {
                    // Who asks again gets another answer.
                    let _ = socket.send_to(&answer, peer).await;
                }
            }
        });
        Ok(Self {
            address,
            texts,
            serving,
        })
    }

    fn publish(&self, name: &str, text: &str) {
        let mut texts = self.texts.lock().expect("nobody panics with it");
        texts.insert(format!("{name}."), text.to_owned());
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn answer(asked: &[u8], texts: &Mutex<HashMap<String, String>>) -> Option<Vec<u8>> {
    let asked = Message::from_vec(asked).ok()?;
    let query = asked.queries.first()?.clone();
    let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
    let name = query.name().to_ascii();
    match texts.lock().ok()?.get(&name) {
        Some(text) => {
            let text = RData::TXT(TXT::new(vec![text.clone()]));
            answer.add_answer(Record::from_rdata(query.name().clone(), 1, text));
        }
        None => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer.add_query(query);
    answer.to_vec().ok()
}

/// Registers a site under both names and publishes a record for each, one of them wrong.
pub async fn claim(network: &Network, names: &NameServer, origin: &str) -> anyhow::Result<()> {
    let suri = network.plan.customer.suri();
    let words = [
        "service", "create", "--host", OWN, "--host", FOREIGN, "--origin", origin, "--cap", "1",
    ];
    let created = network.cli().run(Some(&suri), &words).await?;
    let hosts = hosts(network, &created["service"]).await?;
    for host in &hosts {
        assert_eq!(host["proven"], false, "{host}");
        let text = |field: &str| host[field].as_str().context("a host has a record");
        let is_own = host["name"] == OWN;
        let value = if is_own { text("txt_value")? } else { "mine" };
        names.publish(text("txt_name")?, value);
    }
    assert_eq!(hosts.len(), 2);
    Ok(())
}

async fn hosts(
    network: &Network,
    service: &serde_json::Value,
) -> anyhow::Result<Vec<serde_json::Value>> {
    let suri = network.plan.customer.suri();
    let services = network.cli().run(Some(&suri), &["service", "list"]).await?;
    let services = services.as_array().context("a list of services")?;
    let found = services.iter().find(|found| found["service"] == *service);
    let hosts = found.and_then(|found| found["hosts"].as_array());
    Ok(hosts.context("the service has hosts")?.clone())
}

/// The gateways have looked: the one name is served, the other is not.
pub async fn check(network: &Network) -> anyhow::Result<()> {
    for gateway in network.plan.of_role("gateway") {
        let port = gateway.http_port;
        wait_for("the proven name", Duration::from_secs(300), || async move {
            let answer = client::get(port, OWN, "/page/1").await?;
            Ok((answer.status() == StatusCode::OK).then_some(()))
        })
        .await?;
        let foreign = client::get(port, FOREIGN, "/page/1").await?;
        assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    }
    Ok(())
}
