//! Adds checked lines up to a bill.

use super::{
    check_line, Bill, BillOverflow, Day, Evidence, HeadDefect, Item, ItemKind, Line, Totals,
    Unverified, Verified,
};
use crate::hash::Keccak256;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use codec::Encode;
use core::ops::RangeInclusive;
use selvedge_primitives_types::{
    Account, Epoch, Finality, Hash, InvoiceHead, InvoiceLine, Millis, Planck, PriceList, Prices,
    ServiceId, Usage, UsageClass,
};

/// Use of a class.
#[derive(Clone, Copy, Default)]
struct Used {
    units: u128,
    /// Units times price, in planck times 2^32.
    scaled: u128,
}

impl Used {
    fn plus(self, units: u64, price: u64) -> Option<Self> {
        Some(Self {
            units: self.units.checked_add(units.into())?,
            scaled: self
                .scaled
                .checked_add(u128::from(units) * u128::from(price))?,
        })
    }

    fn amount(self) -> Planck {
        self.scaled >> Prices::FRACTION_BITS
    }
}

/// What a service used in a day by one price list.
#[derive(Clone, Copy)]
struct Use {
    prices: Prices,
    paid: [Used; 6],
    free: [Used; 6],
    /// What was charged, in planck.
    amount: Planck,
}

impl Use {
    fn plus(mut self, line: &InvoiceLine) -> Option<Self> {
        let add = |used: &mut [Used; 6], usage: &Usage| {
            for (class, units) in usage.iter() {
                let used = &mut used[class as usize];
                *used = used.plus(units, self.prices.of(class))?;
            }
            Some(())
        };
        add(&mut self.paid, &line.paid)?;
        add(&mut self.free, &line.free)?;
        self.amount = self.amount.checked_add(line.amount)?;
        Some(self)
    }

    fn credit(&self) -> Option<Planck> {
        self.free
            .iter()
            .try_fold(0u128, |sum, used| sum.checked_add(used.amount()))
    }

    /// What was charged less the charges by class.
    fn rounding(&self) -> Option<i128> {
        let by_class = self
            .paid
            .iter()
            .try_fold(0u128, |sum, used| sum.checked_add(used.amount()))?;
        let difference = i128::try_from(self.amount.abs_diff(by_class)).ok()?;
        Some(if self.amount < by_class {
            -difference
        } else {
            difference
        })
    }
}

/// A bill in the making.
pub(super) struct Statement {
    customer: Account,
    epochs: RangeInclusive<Epoch>,
    used: BTreeMap<(ServiceId, Day, u32), Use>,
    refunded: BTreeMap<(ServiceId, Day), Planck>,
    lists: BTreeMap<u32, Prices>,
    lines: Vec<Line>,
    totals: Totals,
    absent: Vec<(Epoch, Epoch)>,
    incomplete: Vec<Epoch>,
    defects: Vec<(Epoch, HeadDefect)>,
    heads: Hash,
    /// The epoch before, and when it ended.
    last: Option<(Epoch, Millis)>,
}

impl Statement {
    pub(super) fn new(customer: Account, epochs: RangeInclusive<Epoch>) -> Self {
        Self {
            customer,
            epochs,
            used: BTreeMap::new(),
            refunded: BTreeMap::new(),
            lists: BTreeMap::new(),
            lines: Vec::new(),
            totals: Totals::default(),
            absent: Vec::new(),
            incomplete: Vec::new(),
            defects: Vec::new(),
            heads: [0; 32],
            last: None,
        }
    }

    /// Takes in the next head with the evidence of its lines.
    pub(super) fn add<H: Keccak256>(
        &mut self,
        head: &InvoiceHead,
        evidence: &mut impl FnMut(Epoch, &InvoiceLine) -> Option<Evidence>,
    ) -> Result<(), BillOverflow> {
        self.heads = H::hash(&(self.heads, head).encode());
        let defect = self.defect(head);
        match defect {
            Some(defect) => self.defects.push((head.epoch, defect)),
            None => {
                let lists = head.prices.iter().map(|list| (list.version, list.prices));
                self.lists.extend(lists);
            }
        }
        // A head that is out of order, or of somebody else, stands for no epoch.
        if !matches!(
            defect,
            Some(HeadDefect::OutOfOrder | HeadDefect::ForeignCustomer)
        ) {
            self.miss_up_to(head.epoch);
            self.last = Some((head.epoch, head.to));
            if !head.complete {
                self.incomplete.push(head.epoch);
            }
        }
        for line in &head.lines {
            let outcome = match defect {
                Some(_) => Err(Unverified::Head),
                None => evidence(head.epoch, line)
                    .ok_or(Unverified::NotShown)
                    .and_then(|shown| {
                        check_line::<H>(self.customer, head.epoch, line, &head.prices, &shown)
                    }),
            };
            self.line(head, line, outcome).ok_or(BillOverflow)?;
        }
        Ok(())
    }

    /// Lists the epochs without a head between the last one and `epoch`.
    fn miss_up_to(&mut self, epoch: Epoch) {
        let next = match self.last {
            Some((last, _)) => last.next(),
            None => *self.epochs.start(),
        };
        if next < epoch {
            self.absent.push((next, Epoch(epoch.0 - 1)));
        }
    }

    fn defect(&self, head: &InvoiceHead) -> Option<HeadDefect> {
        if head.customer != self.customer {
            return Some(HeadDefect::ForeignCustomer);
        }
        let is_next = self.last.is_none_or(|(last, _)| last < head.epoch);
        if !is_next || !self.epochs.contains(&head.epoch) {
            return Some(HeadDefect::OutOfOrder);
        }
        let follows = match self.last {
            Some((last, end)) if last.next() == head.epoch => head.from == end,
            Some((_, end)) => head.from >= end,
            None => true,
        };
        if head.from >= head.to || !follows {
            return Some(HeadDefect::WrongTime);
        }
        let mut seen = BTreeSet::new();
        if !head
            .lines
            .iter()
            .all(|line| seen.insert((line.service, line.gateway)))
        {
            return Some(HeadDefect::DoubleLine);
        }
        let mut versions = BTreeSet::new();
        let differs = |list: &&PriceList| {
            let known = self.lists.get(&list.version);
            !versions.insert(list.version) || known.is_some_and(|known| *known != list.prices)
        };
        let list = head.prices.iter().find(differs);
        list.map(|list| HeadDefect::PricesDiffer(list.version))
    }

    fn line(
        &mut self,
        head: &InvoiceHead,
        line: &InvoiceLine,
        outcome: Result<Verified, Unverified>,
    ) -> Option<()> {
        let (service, day) = (line.service, Day::of(head.from));
        let mut outcome = outcome;
        if let Ok(Verified { prices, .. }) = outcome {
            let key = (service, day, prices.version);
            let before = self.used.get(&key).copied().unwrap_or(Use {
                prices: prices.prices,
                paid: Default::default(),
                free: Default::default(),
                amount: 0,
            });
            match before.plus(line) {
                Some(now) => {
                    self.used.insert(key, now);
                }
                None => outcome = Err(Unverified::Overflow),
            }
        }
        let finality = line.finality();
        let totals = &mut self.totals;
        totals.charged = totals.charged.checked_add(line.amount)?;
        if finality == Finality::Refunded {
            totals.refunded = totals.refunded.checked_add(line.amount)?;
        } else {
            totals.due = totals.due.checked_add(line.amount)?;
            if finality == Finality::Final {
                totals.settled = totals.settled.checked_add(line.amount)?;
            }
            if outcome.is_err() {
                totals.unverified = totals.unverified.checked_add(line.amount)?;
            }
        }
        // What was charged without evidence and given back is on no item.
        if finality == Finality::Refunded && outcome.is_ok() {
            let refunded = self.refunded.entry((service, day)).or_default();
            *refunded = refunded.checked_add(line.amount)?;
        }
        self.lines.push(Line {
            epoch: head.epoch,
            from: head.from,
            service,
            gateway: line.gateway,
            paid: line.paid,
            free: line.free,
            amount: line.amount,
            finality,
            outcome,
        });
        Some(())
    }

    pub(super) fn finish(mut self) -> Result<Bill, BillOverflow> {
        self.miss_up_to(self.epochs.end().next());
        let mut items = Vec::new();
        for ((service, day, version), used) in &self.used {
            let (service, day, version) = (*service, *day, *version);
            let mut push = |kind| items.push(Item { service, day, kind });
            for class in UsageClass::ALL {
                let (paid, price) = (used.paid[class as usize], used.prices.of(class));
                if paid.units > 0 {
                    push(ItemKind::Charge {
                        class,
                        units: paid.units,
                        version,
                        price,
                        amount: paid.amount(),
                    });
                }
            }
            match used.rounding().ok_or(BillOverflow)? {
                0 => {}
                rounding => push(ItemKind::Rounding(rounding)),
            }
            for class in UsageClass::ALL {
                let (free, price) = (used.free[class as usize], used.prices.of(class));
                if free.units > 0 {
                    push(ItemKind::Free {
                        class,
                        units: free.units,
                        version,
                        price,
                        credit: free.amount(),
                    });
                }
            }
            let credit = used.credit().ok_or(BillOverflow)?;
            let free = self.totals.free.checked_add(credit);
            self.totals.free = free.ok_or(BillOverflow)?;
        }
        for ((service, day), amount) in &self.refunded {
            items.push(Item {
                service: *service,
                day: *day,
                kind: ItemKind::Refund(*amount),
            });
        }
        // Stable, so that a day's charges stay before its refund.
        items.sort_by_key(|item| (item.service, item.day));
        Ok(Bill {
            customer: self.customer,
            epochs: (*self.epochs.start(), *self.epochs.end()),
            items,
            lines: self.lines,
            totals: self.totals,
            absent: self.absent,
            incomplete: self.incomplete,
            defects: self.defects,
            heads: self.heads,
        })
    }
}
