//! The invoice as the chain knows it: what was charged, and the commitments to check it against.

use crate::{
    Account, DeviceId, Epoch, Millis, Planck, PriceList, ServiceId, Usage, UsageCommitment,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// How far a commitment has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum CommitmentStatus {
    /// Committed; its window or its audit is open.
    #[codec(index = 0)]
    Pending,
    /// Accepted, and being charged: the next customer entry.
    #[codec(index = 1)]
    Settling(u32),
    /// Charged in full; waits for the hold-back to end.
    #[codec(index = 2)]
    HeldBack,
    /// Being paid: the next cache entry.
    #[codec(index = 3)]
    Crediting(u32),
    /// Paid in full.
    #[codec(index = 4)]
    Credited,
    /// Void, and being refunded: the next customer entry.
    #[codec(index = 5)]
    Refunding(u32),
    /// Void; nothing was kept.
    #[codec(index = 6)]
    Void,
}

/// What may still become of a line that was charged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Finality {
    /// The gateway's other customers are still being charged; the line may be disputed.
    Open,
    /// Everybody was charged; the line may be disputed until the hold-back ends.
    Disputable,
    /// It stays.
    Final,
    /// The commitment is void, and the charge comes back.
    Void,
    /// The charge was given back.
    Refunded,
}

/// One gateway's part of an invoice: what was charged for one service, and where its proof is.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct InvoiceLine {
    /// The service.
    pub service: ServiceId,
    /// The gateway that served.
    pub gateway: DeviceId,
    /// Usage charged, per class.
    pub paid: Usage,
    /// Usage out of the free buffer, per class.
    pub free: Usage,
    /// The charge, in planck. Nothing of it was kept when the line is refunded: see [`InvoiceLine::finality`].
    pub amount: Planck,
    /// Index of the entry in the gateway's tree by customer.
    pub entry: u32,
    /// Base URL of the gateway's public audit endpoint, which serves the entry's leaves and proofs.
    pub proof_url: Vec<u8>,
    /// The gateway's commitment.
    pub commitment: UsageCommitment,
    /// How far it has come. A line is final from [`CommitmentStatus::Crediting`] on.
    pub status: CommitmentStatus,
}

impl InvoiceLine {
    /// What may still become of the line. Refunds walk the entries in their order, so a void commitment's cursor tells which were given back.
    pub fn finality(&self) -> Finality {
        match self.status {
            CommitmentStatus::Pending | CommitmentStatus::Settling(_) => Finality::Open,
            CommitmentStatus::HeldBack => Finality::Disputable,
            CommitmentStatus::Crediting(_) | CommitmentStatus::Credited => Finality::Final,
            CommitmentStatus::Refunding(next) if self.entry >= next => Finality::Void,
            CommitmentStatus::Refunding(_) | CommitmentStatus::Void => Finality::Refunded,
        }
    }
}

/// The head of an invoice: what a client checks the leaves against.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct InvoiceHead {
    /// Who pays.
    pub customer: Account,
    /// The epoch.
    pub epoch: Epoch,
    /// When it began.
    pub from: Millis,
    /// When it ended.
    pub to: Millis,
    /// Its lines, those that were given back among them.
    pub lines: Vec<InvoiceLine>,
    /// Price lists the lines refer to.
    pub prices: Vec<PriceList>,
    /// Whether every gateway's commitment for the epoch was settled or its last chance has passed.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sum, TreeCommitment};

    #[test]
    fn a_refund_gives_lines_back_up_to_its_cursor() {
        let key = crate::EntryKey([0; 40]);
        let tree = TreeCommitment {
            root: [0; 32],
            entries: 1,
            min: key,
            max: key,
            sum: Sum::default(),
        };
        let line = |entry, status| InvoiceLine {
            service: ServiceId(1),
            gateway: DeviceId([1; 32]),
            paid: Usage::ZERO,
            free: Usage::ZERO,
            amount: 1,
            entry,
            proof_url: Vec::new(),
            commitment: UsageCommitment {
                gateway: DeviceId([1; 32]),
                epoch: Epoch(1),
                customers: tree,
                caches: tree,
            },
            status,
        };
        let refunding = CommitmentStatus::Refunding(4);
        assert_eq!(line(3, refunding).finality(), Finality::Refunded);
        assert_eq!(line(4, refunding).finality(), Finality::Void);
        assert_eq!(
            line(9, CommitmentStatus::Void).finality(),
            Finality::Refunded
        );
        assert_eq!(
            line(9, CommitmentStatus::Crediting(0)).finality(),
            Finality::Final
        );
    }
}
