//! What the network adds to the time to first byte when a crowd misses the same thing at once.
//!
//! ```text
//! bench-crowd PROGRAM CLIENTS ROUNDS LENGTH
//! ```
//!
//! In every round the crowd asks the origin itself, and then two gateways, for something that
//! nobody has asked for before; in the next round the other way round. The origin answers when the
//! last of the crowd has asked; from then on the time counts. One fetch reaches the origin behind
//! the network, or the program fails.

use selvedge_edge_tools_testkit::{content, wait_for, Ask, Client, Line, Net, Plan, Settings};
use std::time::{Duration, Instant};

/// Milliseconds to the first byte and to the last, of every client.
#[derive(Default)]
struct Times {
    first: Vec<f64>,
    last: Vec<f64>,
}

impl Times {
    fn add(&mut self, other: Self) {
        self.first.extend(other.first);
        self.last.extend(other.last);
    }
}

fn percentile(times: &[f64], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// The crowd asks these, evenly, and is answered at once.
async fn round(
    net: &Net,
    places: &[Client],
    clients: usize,
    target: &str,
    is_direct: bool,
) -> Times {
    let mut lines: Vec<Line> = Vec::with_capacity(clients);
    for number in 0..clients {
        let line = places[number % places.len()].connect().await;
        lines.push(line.expect("a connection"));
    }
    let visit = |mut line: Line| {
        let target = target.to_owned();
        tokio::spawn(async move {
            let mut download = line.begin(Ask::get(&target)).await.expect("an answer");
            let mut body = download
                .next()
                .await
                .expect("a byte")
                .unwrap_or_default()
                .to_vec();
            let first = Instant::now();
            while let Some(more) = download.next().await.expect("a whole body") {
                body.extend_from_slice(&more);
            }
            (first, Instant::now(), body)
        })
    };
    let visits: Vec<_> = lines.into_iter().map(visit).collect();
    wait_for("the whole crowd", || async {
        let asked = if is_direct {
            net.origin.count(target)
        } else {
            let mut running = 0.0;
            for gateway in &net.gateways {
                let metrics = gateway.metrics().await;
                running += metrics.gauge("selvedge_gateway_running_requests");
            }
            running as usize
        };
        (asked == clients).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let opened = Instant::now();
    net.origin
        .open(target.split_once("hold=").expect("a gate").1);
    let mut times = Times::default();
    let expected = content(target);
    for visit in visits {
        let (first, last, body) = visit.await.expect("a visitor");
        assert!(body == expected, "another body");
        times.first.push((first - opened).as_secs_f64() * 1e3);
        times.last.push((last - opened).as_secs_f64() * 1e3);
    }
    if !is_direct {
        assert_eq!(net.origin.count(target), 1, "one fetch");
    }
    times
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let mut next = |name: &str| args.next().unwrap_or_else(|| panic!("{name} is missing"));
    let program = next("PROGRAM");
    let number = |text: String| text.parse::<usize>().expect("a number");
    let clients = number(next("CLIENTS"));
    let rounds = number(next("ROUNDS"));
    let length = number(next("LENGTH"));
    let plan = Plan {
        gateways: 2,
        caches: 2,
        gateway: Settings::default().set("limits.connections_per_ip", 8192),
        ..Plan::default()
    };
    let net = Net::start(program, plan).await;
    let origin = [Client::new(net.origin.address(), "site.test")];
    let gateways = [net.visitor(0), net.visitor(1)];
    let (mut direct, mut through) = (Times::default(), Times::default());
    for number in 0..rounds {
        for turn in 0..2 {
            let is_direct = (number + turn) % 2 == 0;
            let kind = if is_direct { "direct" } else { "through" };
            let target =
                format!("/{kind}/{number}?len={length}&cc=max-age=600&hold={kind}-{number}");
            let places = if is_direct {
                &origin[..]
            } else {
                &gateways[..]
            };
            let times = round(&net, places, clients, &target, is_direct).await;
            if is_direct { &mut direct } else { &mut through }.add(times);
        }
    }
    println!("{clients} clients, {rounds} rounds, {length} octets, milliseconds:");
    println!("                      p50      p95      max");
    for (name, times) in [
        ("first byte, origin", &direct.first),
        ("first byte, network", &through.first),
        ("last byte, origin", &direct.last),
        ("last byte, network", &through.last),
    ] {
        let at = |percent| percentile(times, percent);
        println!(
            "{name:<20} {:>6.1}   {:>6.1}   {:>6.1}",
            at(50),
            at(95),
            at(100)
        );
    }
    for percent in [50, 95] {
        let added = percentile(&through.first, percent) - percentile(&direct.first, percent);
        println!("added to the first byte at p{percent}: {added:.1} ms");
    }
}
