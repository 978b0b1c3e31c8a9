//! The pallets whose weights are measured.
//!
//! `scripts/weights.sh` measures ours.

frame_benchmarking::define_benchmarks!(
    [pallet_edge_registry, NodeRegistry]
    [pallet_edge_staking, NodeStaking]
    [pallet_edge_clock, UsageClock]
    [pallet_edge_services, Services]
    [pallet_edge_billing, Billing]
    [pallet_edge_audits, Audits]
    [pallet_edge_claims, Claims]
    [pallet_edge_reputation, Reputation]
    [pallet_edge_yields, NodeYields]
    [pallet_edge_governance, EdgeGovernance]
    [pallet_balances, Balances]
    [pallet_timestamp, Timestamp]
    [pallet_transaction_payment, TransactionPayment]
    [pallet_parameters, Parameters]
    [pallet_preimage, Preimage]
    [pallet_scheduler, Scheduler]
    [pallet_conviction_voting, ConvictionVoting]
    [pallet_referenda, Referenda]
    [pallet_treasury, Treasury]
    [pallet_safe_mode, SafeMode]
    [pallet_tx_pause, TxPause]
    [pallet_utility, Utility]
    [pallet_proxy, Proxy]
    [pallet_multisig, Multisig]
    [pallet_identity, Identity]
    [pallet_sudo, Sudo]
);
