//! `selvedge node`.

use super::{audit, nothing, score, yields, Context};
use crate::{
    amount::Sel,
    cli::{NodeCommand, RegisterArgs},
    error::Failure,
    keys::{self, DeviceKey},
    output, views,
};
use selvedge_primitives_runtime_api::{ClockView, NodeView};
use selvedge_primitives_types::{
    signing::{AssignStakePayload, RegisterDevicePayload},
    DeviceId, Domain, Epoch, Region, Role, StakeId,
};
use std::path::Path;
use subxt::dynamic::Value;

pub async fn run(context: &Context<'_>, command: NodeCommand) -> anyhow::Result<()> {
    match command {
        NodeCommand::List => list(context).await,
        NodeCommand::Status { device } => status(context, keys::device(&device)?).await,
        NodeCommand::Score { device } => score::explain(context, keys::device(&device)?).await,
        NodeCommand::Earnings(args) => yields::explain(context, args).await,
        NodeCommand::Rejoin { device } => of_device(context, "Reputation", "rejoin", &device).await,
        NodeCommand::DisputeRegion { device, withdraw } => {
            let call = match withdraw {
                true => "withdraw_dispute",
                false => "dispute_region",
            };
            of_device(context, "Reputation", call, &device).await
        }
        NodeCommand::Register(args) => register(context, args).await,
        NodeCommand::Stake { role } => stake(context, parse_role(&role)?).await,
        NodeCommand::Assign { stake, device_key } => {
            assign(context, StakeId(stake), &device_key).await
        }
        NodeCommand::Unassign { stake } => {
            context
                .submit(
                    "NodeStaking",
                    "unassign",
                    vec![("stake", Value::u128(stake.into()))],
                    nothing,
                )
                .await
        }
        NodeCommand::Audit {
            gateway,
            epoch,
            report,
        } => audit::run(context, keys::device(&gateway)?, Epoch(epoch), report).await,
        NodeCommand::Drain { device, end } => {
            let call = if end { "end_drain" } else { "request_drain" };
            of_device(context, "NodeRegistry", call, &device).await
        }
    }
}

/// Sends a call that takes a device alone.
async fn of_device(
    context: &Context<'_>,
    pallet: &str,
    call: &str,
    device: &str,
) -> anyhow::Result<()> {
    let device = Value::from_bytes(keys::device(device)?.0);
    context
        .submit(pallet, call, vec![("device", device)], nothing)
        .await
}

fn parse_role(text: &str) -> Result<Role, Failure> {
    text.parse()
        .map_err(|error| Failure::Input(format!("{text:?} is {error}")))
}

fn role_value(role: Role) -> Value {
    Value::unnamed_variant(format!("{role:?}"), [])
}

async fn list(context: &Context<'_>) -> anyhow::Result<()> {
    let mut nodes = context.chain().await?.nodes().await?;
    nodes.sort_by_key(|node| (node.role, node.region, node.device));
    let values: Vec<views::Node> = nodes.iter().map(Into::into).collect();
    context.output.answer(&values, || {
        let rows = nodes.iter().map(|node| {
            let score = |pick: fn(
                &selvedge_primitives_runtime_api::ScoreView,
            ) -> selvedge_primitives_types::Score| {
                node.score
                    .as_ref()
                    .map(|score| pick(score).to_string())
                    .unwrap_or_else(|| "1 (new)".into())
            };
            [
                node.device.to_string()[..12].into(),
                node.role.to_string(),
                node.region.to_string(),
                state(node).into(),
                node.stake
                    .map(|(_, amount)| Sel(amount).to_string())
                    .unwrap_or_else(|| "-".into()),
                score(|score| score.quality),
                score(|score| score.service),
                String::from_utf8_lossy(&node.endpoint).into_owned(),
            ]
        });
        let head = [
            "device", "role", "region", "state", "stake", "quality", "service", "endpoint",
        ];
        output::table(head, &[4, 5, 6], rows.collect())
    })
}

fn state(node: &NodeView) -> &'static str {
    match (node.active, node.draining, node.stake) {
        (true, true, _) => "draining",
        (true, false, _) => "active",
        (false, _, Some(_)) => "from next epoch",
        (false, _, None) => "no stake",
    }
}

/// When the node drains, and when it may again.
fn drains(node: &NodeView) -> Option<String> {
    let running = node.drain.filter(|_| node.draining).map(|drain| {
        format!(
            "until epoch {}, in which what is seen of it counts again",
            drain.until
        )
    });
    let next = node
        .next_drain
        .map(|epoch| format!("granted again from epoch {epoch} on"));
    match (running, next) {
        (Some(running), Some(next)) => Some(format!("{running}; {next}")),
        (running, next) => running.or(next),
    }
}

async fn status(context: &Context<'_>, device: DeviceId) -> anyhow::Result<()> {
    let node: Option<NodeView> = context
        .chain()
        .await?
        .view("NodesApi_node", &device)
        .await?;
    let node =
        node.ok_or_else(|| Failure::NotFound(format!("no device {device} is registered")))?;
    let value = views::Node::from(&node);
    context.output.answer(&value, || {
        let mut rows = vec![
            ("device", value.device.clone()),
            ("operator", value.operator.clone()),
            ("role", value.role.clone()),
            ("region", value.region.clone()),
            ("endpoint", value.endpoint.clone()),
            ("audit endpoint", value.public_url.clone()),
            ("state", state(&node).into()),
        ];
        rows.extend(drains(&node).map(|drain| ("drain", drain)));
        if let Some((id, amount)) = node.stake {
            rows.push(("stake", format!("#{id}, {}", Sel(amount))));
        }
        if let Some(score) = &node.score {
            rows.extend([
                ("quality", score.quality.to_string()),
                (
                    "service",
                    format!(
                        "{} (era {}: ok {}, jobs {}, speed {}; usually {} per stake against a median of {})",
                        score.service, score.era, score.ok, score.jobs, score.speed, score.usual,
                        score.regional_median
                    ),
                ),
            ]);
        }
        let eras = node.eras.iter().map(|era| {
            [
                era.era.to_string(),
                Sel(era.matured).to_string(),
                Sel(era.base).to_string(),
                Sel(era.activity).to_string(),
            ]
        });
        let head = ["era", "matured charges", "base yield", "activity yield"];
        format!("{}{}", output::list(&rows), output::table(head, &[0, 1, 2, 3], eras.collect()))
    })
}

async fn register(context: &Context<'_>, args: RegisterArgs) -> anyhow::Result<()> {
    let role = parse_role(&args.role)?;
    let region = Region::parse(&args.region).ok_or_else(|| {
        Failure::Input(format!(
            "{:?} is no region: use one to eight of a-z, 0-9 and -",
            args.region
        ))
    })?;
    let agent_key = args
        .agent_key
        .strip_prefix("0x")
        .and_then(keys::bytes32)
        .ok_or_else(|| {
            Failure::Input(format!(
                "{:?} is no agent key: use 0x and 64 hex digits",
                args.agent_key
            ))
        })?;
    let key = DeviceKey::read(&args.device_key)?;
    let operator = context.account_or_signer(None)?;
    let chain = context.chain().await?;
    // The longest that is taken: the view may lag, and the transaction may wait for a block.
    let clock: ClockView = chain.view("BillingApi_clock", &()).await?;
    let until = clock.epoch.plus(clock.epochs_per_era);
    let payload = RegisterDevicePayload {
        operator,
        device: key.device(),
        agent_key,
        until,
    };
    let signature = key.sign(&Domain::RegisterDevice.message(&chain.genesis(), &payload));
    let fields = vec![
        ("device", Value::from_bytes(key.device().0)),
        ("role", role_value(role)),
        ("region", Value::from_bytes(region.0)),
        ("endpoint", Value::from_bytes(args.endpoint)),
        ("public_url", Value::from_bytes(args.public_url)),
        ("capacity", Value::u128(args.capacity.into())),
        ("agent_key", Value::from_bytes(agent_key)),
        ("until", Value::u128(until.0.into())),
        ("signature", Value::from_bytes(signature.0)),
    ];
    let device = key.device().to_string();
    context
        .submit("NodeRegistry", "register_device", fields, |_| {
            Ok(vec![("device", device.into())])
        })
        .await
}

async fn stake(context: &Context<'_>, role: Role) -> anyhow::Result<()> {
    context
        .submit(
            "NodeStaking",
            "create_stake",
            vec![("role", role_value(role))],
            |receipt| {
                Ok(vec![(
                    "stake",
                    receipt
                        .number("NodeStaking", "StakeCreated", "stake")?
                        .into(),
                )])
            },
        )
        .await
}

async fn assign(context: &Context<'_>, stake: StakeId, device_key: &Path) -> anyhow::Result<()> {
    let key = DeviceKey::read(device_key)?;
    let owner = context.account_or_signer(None)?;
    let chain = context.chain().await?;
    let nonce = chain.assignments(stake).await?;
    let payload = AssignStakePayload {
        stake,
        owner,
        device: key.device(),
        nonce,
    };
    let signature = key.sign(&Domain::AssignStake.message(&chain.genesis(), &payload));
    let fields = vec![
        ("stake", Value::u128(stake.0.into())),
        ("device", Value::from_bytes(key.device().0)),
        ("signature", Value::from_bytes(signature.0)),
    ];
    context
        .submit("NodeStaking", "assign", fields, nothing)
        .await
}
