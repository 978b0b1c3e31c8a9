//! Units of money and time, with the arithmetic that made them.

/// Units of the token.
pub mod currency {
    use crate::Balance;

    /// Decimals of the token, as the chain specification publishes them.
    pub const DECIMALS: u32 = 12;
    /// Symbol of the token, as the chain specification publishes it.
    pub const SYMBOL: &str = "SEL";
    /// One SEL: 10^12 planck.
    pub const SEL: Balance = 10u128.pow(DECIMALS);
    /// A thousandth of a SEL.
    pub const MILLI: Balance = SEL / 1_000;
    /// A millionth of a SEL.
    pub const MICRO: Balance = SEL / 1_000_000;

    /// Below this an account does not exist: 0.001 SEL.
    pub const EXISTENTIAL_DEPOSIT: Balance = MILLI;

    /// What occupying state costs while it is occupied: 0.1 SEL an item and 0.0001 SEL a byte.
    ///
    /// A gigabyte of state would tie up 10^9 × 0.0001 = 100,000 SEL.
    pub const fn deposit(items: u32, bytes: u32) -> Balance {
        items as Balance * 100 * MILLI + bytes as Balance * 100 * MICRO
    }
}

/// Periods of governance and utility pallets, which count blocks.
///
/// Blocks stand for time only where the SDK's pallets want it so; everything of the edge counts
/// milliseconds of block timestamps.
pub mod time {
    use crate::BlockNumber;

    /// Slot length the block counts below assume, and the presets set: three seconds.
    pub const NOMINAL_SLOT_MILLIS: u64 = 3_000;
    /// Blocks in a minute: 60,000 / 3,000 = 20.
    pub const MINUTES: BlockNumber = (60_000 / NOMINAL_SLOT_MILLIS) as BlockNumber;
    /// Blocks in an hour: 20 × 60 = 1,200.
    pub const HOURS: BlockNumber = MINUTES * 60;
    /// Blocks in a day: 1,200 × 24 = 28,800.
    pub const DAYS: BlockNumber = HOURS * 24;
}

/// SS58 address prefix: addresses begin with `se`.
pub const SS58_PREFIX: u16 = 460;
