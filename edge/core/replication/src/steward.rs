//! The machine: takes what happened, and says what must be done.

use std::collections::{BTreeSet, VecDeque};

use selvedge_primitives_types::{DeviceId, Hash, Millis, ServiceId};

use crate::bucket::Bucket;
use crate::error::Error;
use crate::flights::{jitter, Flight, Flights};
use crate::heat::Heat;
use crate::message::{Cache, CopyFailure, Figures, Input, Output, Wanted, MAX_ASK};
use crate::nodes::{Index, Node, Nodes, Standing};
use crate::objects::{Note, Objects};
use crate::placement::Placement;
use crate::queue::Queue;
use crate::rules::{Limits, Rules};
use crate::survey::Pass;

/// Blobs of the queue that one tick looks at.
const AT_ONCE: usize = 256;

/// Keeps the content of the services whose steward this gateway is.
#[derive(Debug)]
pub struct Steward<P> {
    pub(crate) own: DeviceId,
    pub(crate) rules: Rules,
    pub(crate) limits: Limits,
    pub(crate) placement: Option<P>,
    pub(crate) nodes: Nodes,
    pub(crate) objects: Objects,
    pub(crate) heat: Heat,
    pub(crate) queue: Queue,
    pub(crate) flights: Flights,
    bucket: Bucket,
    /// Slots to look at, each once.
    pub(crate) dirty: VecDeque<u32>,
    /// Slots whose copies could not begin, each with when to look again.
    pub(crate) parked: VecDeque<(Millis, u32)>,
    pub(crate) scan: Pass,
    pub(crate) survey: Pass,
    /// Whether places have moved since the last whole scan.
    pub(crate) is_moved: bool,
    pub(crate) challenge_slot: u32,
    pub(crate) challenge_debt: u128,
    /// Blobs that every cache may still be asked about in this survey.
    pub(crate) searches: usize,
    pub(crate) counted: Figures,
    pub(crate) figures: Figures,
    pub(crate) outputs: VecDeque<Output>,
    now: Millis,
    ticked: Millis,
}

impl<P: Placement> Steward<P> {
    /// One that knows nothing. `own` is the gateway's device; it spreads the questions of several stewards.
    pub fn new(own: DeviceId, rules: Rules, limits: Limits, now: Millis) -> Self {
        Self {
            own,
            bucket: Bucket::new(rules.rate, rules.burst, now),
            rules,
            limits,
            placement: None,
            nodes: Nodes::default(),
            objects: Objects::default(),
            heat: Heat::default(),
            queue: Queue::default(),
            flights: Flights::default(),
            dirty: VecDeque::new(),
            parked: VecDeque::new(),
            scan: Pass::default(),
            survey: Pass::default(),
            is_moved: false,
            challenge_slot: 0,
            challenge_debt: 0,
            searches: 0,
            counted: Figures::default(),
            figures: Figures::default(),
            outputs: VecDeque::new(),
            now,
            ticked: now,
        }
    }

    /// Takes one input; then [`poll_output`](Self::poll_output) is to be drained to its timeout. A time before one that
    /// was told counts as that one.
    ///
    /// Errors: when something does not fit or is not known; the rest of the input is in force.
    pub fn handle_input(&mut self, now: Millis, input: Input<P>) -> Result<(), Error> {
        self.now = now.max(self.now);
        let now = self.now;
        match input {
            Input::Tick => self.tick(now),
            Input::Caches { caches, placement } => {
                return self.take_caches(&caches, placement, now)
            }
            Input::Objects {
                service,
                kept,
                gone,
            } => return self.take_objects(service, &kept, &gone),
            Input::Have { cache, roots } => {
                let index = self.heard(cache, now)?;
                for (root, is_complete) in roots.iter().take(MAX_ASK) {
                    self.learn(index, root, *is_complete);
                }
            }
            Input::Silent { cache } => {
                let index = self.index(cache)?;
                // Not asked again before its time: it may be starting.
                self.nodes.at_mut(index).asked = None;
            }
            Input::CopyDone { root, to } => {
                let index = self.heard(to, now)?;
                self.learn(index, &root, true);
            }
            Input::CopyFailed { root, to, why } => self.take_failure(&root, to, why, now)?,
            Input::Challenged {
                root,
                cache,
                passed,
            } => self.take_challenge(&root, cache, passed, now)?,
            Input::Heat {
                root,
                region,
                requests,
            } => {
                if let Some(slot) = self.objects.slot(&root) {
                    let (half_life, hot) = (self.rules.half_life.0, self.limits.hot);
                    self.heat.add(slot, region, requests, now, half_life, hot);
                    if self.heat.total(slot, now, half_life) >= self.rules.region_heat {
                        self.touch(slot);
                    }
                }
            }
        }
        Ok(())
    }

    /// What must be done, until [`Output::Timeout`].
    pub fn poll_output(&mut self) -> Output {
        let timeout = Output::Timeout(Millis(self.ticked.0.saturating_add(self.rules.tick.0)));
        self.outputs.pop_front().unwrap_or(timeout)
    }

    /// How content stands.
    pub fn figures(&self) -> Figures {
        let count = |is: fn(&Node) -> bool| {
            let nodes = self.nodes.registered();
            nodes.filter(|node| is(node)).count() as u64
        };
        Figures {
            objects: self.objects.len() as u64,
            flights: self.flights.len() as u64,
            in_flight: self.flights.bytes(),
            lost: count(|node| node.standing == Standing::Lost),
            distrusted: count(|node| node.distrusted.is_some()),
            is_cut_off: self.nodes.is_cut_off(),
            ..self.figures
        }
    }

    /// Caches that are believed to hold a blob.
    pub fn holders(&self, root: &Hash) -> Vec<DeviceId> {
        let slot = self.objects.slot(root);
        let Some(entry) = slot.and_then(|slot| self.objects.at(slot)) else {
            return Vec::new();
        };
        let holding = entry.notes().filter(|(_, note)| *note == Note::Holds);
        let nodes = holding.map(|(index, _)| self.nodes.at(index));
        nodes
            .filter(|node| node.counts())
            .map(|node| node.device)
            .collect()
    }

    fn tick(&mut self, now: Millis) {
        let passed = now.0.saturating_sub(self.ticked.0);
        self.ticked = now;
        // Whoever slept has heard nobody, and that is nobody's silence.
        if passed > self.rules.suspect.0 {
            let gap = passed - self.rules.tick.0.min(passed);
            self.nodes.skip(gap);
            self.flights.skip(gap);
        }
        let pass = self.scan.next();
        if self.nodes.refresh(now, &self.rules, pass) {
            self.scan.again = true;
        }
        self.expire(now);
        self.scan(now);
        self.survey(now);
        self.challenge(passed.min(self.rules.suspect.0));
        self.start(now);
        self.ask(now);
    }

    fn take_caches(&mut self, caches: &[Cache], placement: P, now: Millis) -> Result<(), Error> {
        self.placement = Some(placement);
        let passes = (self.scan.next(), self.survey.next());
        let count = self.nodes.replace(caches, now, passes, &self.limits);
        (self.scan.again, self.survey.again, self.is_moved) = (true, true, true);
        let gone: Vec<(u32, Index)> = self
            .flights
            .all()
            .filter(|(_, to, _)| !self.nodes.at(*to).is_registered)
            .map(|(slot, to, _)| (slot, to))
            .collect();
        for (slot, to) in gone {
            self.land(slot, to);
        }
        let limit = self.limits.caches.min(Limits::MAX_CACHES);
        match count {
            0 => Ok(()),
            count => Err(Error::TooManyCaches {
                count: count + limit,
                limit,
            }),
        }
    }

    fn take_objects(
        &mut self,
        service: ServiceId,
        kept: &[Wanted],
        gone: &[Hash],
    ) -> Result<(), Error> {
        for root in gone {
            match self.objects.release(root, service) {
                Some((slot, true)) => {
                    let flights: Vec<Index> = self.flights.of(slot).collect();
                    flights.iter().for_each(|to| self.cancel(slot, *to));
                    self.queue.remove(&mut self.objects, slot);
                    self.heat.forget(slot);
                    self.flights.forget(slot);
                    self.objects.vacate(slot);
                }
                Some((slot, false)) => self.touch(slot),
                None => {}
            }
        }
        let limit = self.limits.objects;
        let mut refused = None;
        for Wanted { content, factor } in kept {
            match self.objects.keep(*content, service, *factor, limit) {
                Some(slot) => self.touch(slot),
                None => {
                    let (_, count) = refused.get_or_insert((content.root, 0));
                    *count += 1;
                }
            }
        }
        // Whoever should hold them is asked at once.
        self.survey.again |= !kept.is_empty();
        match refused {
            None => Ok(()),
            Some((first, count)) => Err(Error::TooManyObjects {
                first,
                count,
                limit,
            }),
        }
    }

    fn index(&self, cache: DeviceId) -> Result<Index, Error> {
        self.nodes.find(&cache).ok_or(Error::UnknownCache(cache))
    }

    fn heard(&mut self, cache: DeviceId, now: Millis) -> Result<Index, Error> {
        let index = self.index(cache)?;
        let pass = self.scan.next();
        if self.nodes.heard(index, now, pass) {
            // What it held counts again, and it is asked whether it still does.
            (self.scan.again, self.survey.again) = (true, true);
            let flights: Vec<u32> = self.flights.all().map(|(slot, _, _)| slot).collect();
            flights.into_iter().for_each(|slot| self.touch(slot));
        }
        Ok(index)
    }

    /// A cache said whether it holds a blob.
    fn learn(&mut self, index: Index, root: &Hash, is_complete: bool) {
        let Some(slot) = self.objects.slot(root) else {
            return;
        };
        let Some(entry) = self.objects.at_mut(slot) else {
            return;
        };
        if !is_complete && entry.note(index).is_none() && self.nodes.at(index).drains.is_some() {
            // Those that drain are asked about everything; what they lack needs no place.
            return;
        }
        let note = match is_complete {
            true if entry.note(index) == Some(Note::Disproved) => return,
            true => Note::Holds,
            false => Note::Lacks,
        };
        let is_news = entry.write(index, note);
        if is_complete && self.land(slot, index) {
            self.flights.succeed(slot, index);
        }
        if is_news {
            self.touch(slot);
        }
    }

    fn take_failure(
        &mut self,
        root: &Hash,
        to: DeviceId,
        why: CopyFailure,
        now: Millis,
    ) -> Result<(), Error> {
        let index = self.index(to)?;
        let Some(slot) = self.objects.slot(root) else {
            return Ok(());
        };
        if !self.land(slot, index) {
            return Ok(());
        }
        match why {
            CopyFailure::Full => {
                let until = now.0.saturating_add(self.rules.full.0);
                self.nodes.at_mut(index).full = Millis(until);
            }
            CopyFailure::Failed => self.fail(slot, index, root, now),
        }
        self.touch(slot);
        Ok(())
    }

    fn fail(&mut self, slot: u32, to: Index, root: &Hash, now: Millis) {
        let limit = self.limits.failures;
        self.flights.fail((slot, to), root, now, &self.rules, limit);
    }

    fn take_challenge(
        &mut self,
        root: &Hash,
        cache: DeviceId,
        passed: bool,
        now: Millis,
    ) -> Result<(), Error> {
        let index = self.index(cache)?;
        let Some(slot) = self.objects.slot(root) else {
            return Ok(());
        };
        let note = if passed { Note::Holds } else { Note::Disproved };
        let entry = self.objects.at_mut(slot);
        if entry.is_some_and(|entry| entry.write(index, note)) {
            self.touch(slot);
        }
        if !passed {
            self.outputs.push_back(Output::Liar { root: *root, cache });
            let pass = self.scan.next();
            if self.nodes.strike(index, now, &self.rules, pass) {
                self.scan.again = true;
            }
        }
        Ok(())
    }

    /// Looks at a blob soon.
    pub(crate) fn touch(&mut self, slot: u32) {
        if let Some(entry) = self.objects.at_mut(slot) {
            if !entry.is_dirty {
                entry.is_dirty = true;
                self.dirty.push_back(slot);
            }
        }
    }

    /// A copy is no longer needed.
    pub(crate) fn cancel(&mut self, slot: u32, to: Index) {
        if !self.land(slot, to) {
            return;
        }
        if let Some(entry) = self.objects.at(slot) {
            self.outputs.push_back(Output::Cancel {
                root: entry.content().root,
                to: self.nodes.at(to).device,
            });
        }
    }

    /// A copy is under way no more. Says whether it was.
    fn land(&mut self, slot: u32, to: Index) -> bool {
        let Some(flight) = self.flights.end(slot, to) else {
            return false;
        };
        let target = self.nodes.at_mut(to);
        target.incoming = target.incoming.saturating_sub(flight.bytes);
        // A source that left may have given its place to another.
        let source = self.nodes.at_mut(flight.source);
        source.outgoing = source.outgoing.saturating_sub(flight.bytes);
        true
    }

    /// Gives up copies that took too long, or whose target is lost.
    fn expire(&mut self, now: Millis) {
        let is_over = |(_, to, flight): &(u32, Index, Flight)| {
            flight.deadline <= now || !self.nodes.at(*to).counts()
        };
        let over: Vec<_> = self.flights.all().filter(is_over).collect();
        for (slot, to, flight) in over {
            let root = self.objects.at(slot).map(|entry| entry.content().root);
            if let Some(root) = root.filter(|_| flight.deadline <= now) {
                self.fail(slot, to, &root, now);
            }
            self.cancel(slot, to);
            self.touch(slot);
        }
    }

    /// Begins copies, the most urgent first, as far as the bounds allow.
    fn start(&mut self, now: Millis) {
        if self.nodes.is_cut_off() {
            return;
        }
        // What is longer than a node may have under way waits for an idle one, which others must not keep busy.
        let mut held = BTreeSet::new();
        for slot in self.queue.first(AT_ONCE) {
            let Some(judgement) = self.judge(slot, now) else {
                continue;
            };
            let mut is_parked = false;
            for to in judgement.missing {
                if self.flights.has(slot, to) {
                    continue;
                }
                match self.begin(slot, to, &judgement.holders, &mut held, now) {
                    Begun::Yes => {}
                    Begun::NotThis => is_parked = true,
                    Begun::NotNow => return,
                }
            }
            self.queue.remove(&mut self.objects, slot);
            if is_parked {
                let until = Millis(now.0.saturating_add(self.rules.tick.0));
                self.parked.push_back((until, slot));
            }
        }
    }

    fn begin(
        &mut self,
        slot: u32,
        to: Index,
        holders: &[Index],
        held: &mut BTreeSet<Index>,
        now: Millis,
    ) -> Begun {
        let Some(entry) = self.objects.at(slot) else {
            return Begun::NotThis;
        };
        let (content, service) = (entry.content(), entry.service());
        let target = self.nodes.at(to);
        let may_take = target.is_live() && target.full <= now;
        let mut from: Vec<Index> = holders.to_vec();
        from.retain(|index| *index != to && self.nodes.at(*index).is_live());
        let spread = |index: Index| jitter(&content.root, index, 0);
        from.sort_by_key(|index| (self.nodes.at(*index).outgoing, spread(*index)));
        let may_try = may_take && self.flights.may_try(slot, to, now);
        let fits = |bytes: u64| bytes == 0 || bytes + content.length <= self.rules.per_node;
        let is_free = |index: &Index| !held.contains(index);
        let source = from.iter().copied().find(is_free);
        let Some(source) = source.filter(|_| may_try && is_free(&to)) else {
            return Begun::NotThis;
        };
        if !fits(target.incoming) || !fits(self.nodes.at(source).outgoing) {
            if content.length > self.rules.per_node {
                held.extend([to, source]);
            }
            return Begun::NotThis;
        }
        let under_way = self.flights.bytes();
        if self.flights.len() >= self.limits.flights
            || under_way > 0 && under_way + content.length > self.rules.in_flight
            || !self.bucket.spend(content.length, now)
        {
            return Begun::NotNow;
        }
        let seconds = content.length / self.rules.least_rate.max(1);
        let time = self.rules.patience.0.saturating_add(seconds * 1_000);
        let flight = Flight {
            bytes: content.length,
            source,
            deadline: Millis(now.0.saturating_add(time)),
        };
        self.nodes.at_mut(to).incoming += content.length;
        self.nodes.at_mut(source).outgoing += content.length;
        self.flights.begin(slot, to, flight);
        self.outputs.push_back(Output::Copy {
            content,
            service,
            to: self.nodes.at(to).device,
            from: from
                .iter()
                .map(|index| self.nodes.at(*index).device)
                .collect(),
        });
        Begun::Yes
    }
}

/// Whether a copy began.
enum Begun {
    Yes,
    /// Its target or its sources cannot, now.
    NotThis,
    /// No copy may begin now.
    NotNow,
}
