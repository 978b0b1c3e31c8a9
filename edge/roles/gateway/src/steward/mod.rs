//! Sees to it that what services pin is where it belongs, and counts what is stored.
//!
//! Of all gateways one is a service's steward: the first in the order of owners. The rules are `core/replication`'s;
//! here are its eyes and hands:
//!
//! ```text
//! pins -> directories -> blobs ──> machine ──> have? copy! prove!  ──> caches
//!                                     '<── answers ───────────────────'
//! a proof in an epoch -> byte-hours of that epoch, on that cache's leaf
//! ```

mod metrics;
mod places;
mod storage;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use selvedge_edge_core_replication::{Cache, CopyFailure, Input, Limits, Output, Rules, Steward};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_transport::{
    ContentError, ContentRefusal, CopyAnswer, CopyContent, PeerAddress,
};
use selvedge_primitives_types::{ContentRef, DeviceId, Hash, Millis, Role, ServiceId};
use tokio::sync::mpsc;

use crate::gateway::Shared;
use crate::world::World;
pub use metrics::StewardMetrics;
use places::Places;
pub use storage::Storage;
use wanted::Wants;

/// Answers that wait for the machine.
const ANSWERS: usize = 1_024;
/// How often a copy under way is asked about, and how long it may take beside a second for each MiB.
const LOOK: Duration = Duration::from_millis(500);
const LEAST: Duration = Duration::from_secs(60);
/// How long the bytes of a proof may take.
const PROOF: Duration = Duration::from_secs(5);

type Answers = mpsc::Sender<Input<Places>>;

/// Runs until it is aborted.
pub async fn run(shared: Arc<Shared>) {
    let (answers, told) = mpsc::channel(ANSWERS);
    let wants = Arc::new(Wants::default());
    tokio::join!(
        wanted::run(&shared, &wants, &answers),
        drive(&shared, &wants, &answers, told),
    );
}

async fn drive(
    shared: &Arc<Shared>,
    wants: &Arc<Wants>,
    answers: &Answers,
    mut told: mpsc::Receiver<Input<Places>>,
) {
    let own = shared.identity.device();
    let mut machine = None;
    let mut known: Option<Arc<World>> = None;
    loop {
        // Who keeps nothing for anybody asks nobody.
        let is_needed = machine.is_some() || wants.is_any();
        let Some(world) = shared.world().filter(|_| is_needed) else {
            tokio::time::sleep(LOOK).await;
            continue;
        };
        let steward = machine.get_or_insert_with(|| {
            let rules = Rules {
                // Twice, so that one that is missed by little is not missed.
                challenge: Millis(world.chain.clock.epoch_length.0 / 2),
                ..Rules::default()
            };
            Steward::new(own, rules, Limits::default(), clock::now())
        });
        let is_same = |known: &Arc<World>| known.chain.nodes == world.chain.nodes;
        let is_new = !known.as_ref().is_some_and(is_same);
        if is_new {
            input(steward, caches(&world));
            known = Some(world.clone());
        }
        let until = loop {
            match steward.poll_output() {
                Output::Timeout(until) => break until,
                output => act(shared, wants, &world, answers, output),
            }
        };
        let figures = steward.figures();
        shared.metrics.steward.show(&figures);
        let left = Duration::from_millis(until.0.saturating_sub(clock::now().0));
        match tokio::time::timeout(left, told.recv()).await {
            Ok(Some(answer)) => input(steward, answer),
            Ok(None) => return,
            Err(_) => input(steward, Input::Tick),
        }
    }
}

fn input(steward: &mut Steward<Places>, input: Input<Places>) {
    if let Err(error) = steward.handle_input(clock::now(), input) {
        tracing::warn!(%error, "not all pinned content is looked after");
    }
}

fn caches(world: &World) -> Input<Places> {
    let nodes = world.chain.nodes.iter();
    let caches = nodes.filter(|node| node.role == Role::Cache);
    Input::Caches {
        caches: caches
            .map(|node| Cache {
                device: node.device,
                region: node.region,
                draining: node.draining,
            })
            .collect(),
        placement: Places::new(&world.chain.nodes),
    }
}

/// Does what is wanted, behind everybody's back.
fn act(
    shared: &Arc<Shared>,
    wants: &Arc<Wants>,
    world: &Arc<World>,
    answers: &Answers,
    output: Output,
) {
    let (shared, answers) = (shared.clone(), answers.clone());
    match output {
        Output::Ask { cache, roots } => {
            let address = world.cache(&cache);
            tokio::spawn(async move {
                // Who is steward no more needs no answer.
                let _ = answers
                    .send(ask(&shared, address, cache, roots).await)
                    .await;
            });
        }
        Output::Copy {
            content,
            service,
            to,
            from,
        } => {
            let order = CopyContent {
                service,
                content,
                from,
            };
            let address = world.cache(&to);
            tokio::spawn(async move {
                let copied = copy(&shared, address, &order).await;
                shared.metrics.steward.copied(copied.is_ok());
                let root = content.root;
                let answer = match copied {
                    Ok(()) => Input::CopyDone { root, to },
                    Err(why) => Input::CopyFailed { root, to, why },
                };
                let _ = answers.send(answer).await;
            });
        }
        Output::Challenge {
            content,
            service,
            cache,
        } => {
            let (world, wants) = (world.clone(), wants.clone());
            tokio::spawn(async move {
                let Some(passed) = prove(&shared, &world, content, service, cache).await else {
                    return;
                };
                shared.metrics.steward.challenged(passed);
                if passed {
                    storage::count(&shared, &wants, &world, content, cache).await;
                }
                let root = content.root;
                let answer = Input::Challenged {
                    root,
                    cache,
                    passed,
                };
                let _ = answers.send(answer).await;
            });
        }
        Output::Liar { cache, .. } => {
            tracing::warn!(%cache, "a cache said that it holds what it does not");
            shared.metrics.fault(&cache, "possession");
        }
        Output::Unavailable { root } => {
            let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
            tracing::error!(root, "no cache that answers holds pinned content");
        }
        // A copy that goes on does no harm, and caches drop by themselves what no pin covers.
        Output::Cancel { .. } | Output::Excess { .. } | Output::Timeout(_) => {}
    }
}

async fn ask(
    shared: &Shared,
    address: Option<PeerAddress>,
    cache: DeviceId,
    roots: Vec<Hash>,
) -> Input<Places> {
    let Some(address) = address else {
        return Input::Silent { cache };
    };
    match shared.peers.have_content(&address, &roots).await {
        Ok(have) => Input::Have {
            cache,
            roots: roots.into_iter().zip(have).collect(),
        },
        Err(error) => {
            tracing::debug!(%cache, %error, "a cache does not say what it has");
            Input::Silent { cache }
        }
    }
}

/// Orders a copy, and asks how it goes until it is over.
async fn copy(
    shared: &Shared,
    address: Option<PeerAddress>,
    order: &CopyContent,
) -> Result<(), CopyFailure> {
    let address = address.ok_or(CopyFailure::Failed)?;
    let patience = LEAST + Duration::from_secs(order.content.length >> 20);
    let copying = async {
        loop {
            match shared.peers.copy_content(&address, order).await {
                Ok(CopyAnswer::Complete) => return Ok(()),
                Ok(CopyAnswer::UnderWay) => tokio::time::sleep(LOOK).await,
                Ok(CopyAnswer::Refused(ContentRefusal::Full)) => return Err(CopyFailure::Full),
                Ok(CopyAnswer::Refused(refusal)) => {
                    tracing::debug!(cache = %address.device, %refusal, "a cache copies nothing");
                    return Err(CopyFailure::Failed);
                }
                Err(error) => {
                    tracing::debug!(cache = %address.device, %error, "a cache copies nothing");
                    return Err(CopyFailure::Failed);
                }
            }
        }
    };
    let copied = tokio::time::timeout(patience, copying).await;
    copied.unwrap_or(Err(CopyFailure::Failed))
}

/// Asks a cache for a group of its blob that it cannot know before. `None` when it could not be asked.
async fn prove(
    shared: &Shared,
    world: &World,
    content: ContentRef,
    service: ServiceId,
    cache: DeviceId,
) -> Option<bool> {
    let address = world.cache(&cache)?;
    let range = match content.length {
        0 => 0..0,
        length => {
            let at = rand::thread_rng().gen_range(0..length);
            at..at + 1
        }
    };
    let asking = async {
        let get = shared
            .peers
            .get_content(&address, service, content, range)
            .await;
        let mut stream = get?;
        while stream.next(PROOF).await?.is_some() {}
        Ok::<_, ContentError>(())
    };
    match asking.await {
        Ok(()) => Some(true),
        Err(ContentError::Refused(ContentRefusal::Missing)) => Some(false),
        Err(error) if error.is_misbehaviour() => {
            shared.blame_for_content(&cache, &error);
            Some(false)
        }
        Err(error) => {
            tracing::debug!(%cache, %error, "a cache could not be asked for a proof");
            None
        }
    }
}
