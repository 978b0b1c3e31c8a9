//! A cache whose answers are no messages at all.

use crate::net;
use selvedge_edge_tools_testkit::{
    content, device_key,
    liar::{Noise, NoisyCache},
};
use selvedge_primitives_types::Role;

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_no_answer() {
    let mut net = net(1, 1).await;
    let key = device_key(201);
    let noisy = NoisyCache::start(&key).await;
    net.chain.register_node(
        noisy.device(),
        Role::Cache,
        noisy.address().to_string(),
        String::new(),
    );
    net.chain.node(noisy.device()).capacity = u32::MAX;
    net.push().await;
    let device = noisy.device().to_string();
    let mut named = 0.0;
    for (number, noise) in Noise::ALL.into_iter().enumerate() {
        noisy.make(noise);
        let target = format!("/page/{number}?len=5000&cc=max-age=600");
        let target = net.chain.owned_by(noisy.device(), &target);
        let answer = net.visitor(0).get(&target).await;
        assert!(
            answer.status == 200 && answer.body == content(&target),
            "{noise:?}"
        );
        let metrics = net.gateways[0].metrics().await;
        let faults = metrics.sum("selvedge_gateway_cache_faults_total", &[("cache", &device)]);
        // What is no message is a fault; a stream that ends or an error status may be an honest
        // one's.
        let is_fault = !matches!(noise, Noise::Nothing | Noise::Status);
        assert_eq!(faults, named + f64::from(u8::from(is_fault)), "{noise:?}");
        named = faults;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_at_a_caches_address_is_not_talked_to() {
    let mut net = net(1, 0).await;
    let noisy = NoisyCache::start(&device_key(201)).await;
    let expected = selvedge_edge_tools_testkit::device_of(&device_key(202));
    net.chain.register_node(
        expected,
        Role::Cache,
        noisy.address().to_string(),
        String::new(),
    );
    net.push().await;
    let target = "/page?len=5000&cc=max-age=600";
    assert!(net.visitor(0).get(target).await.body == content(target));
}
