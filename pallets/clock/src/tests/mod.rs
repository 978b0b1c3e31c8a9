mod genesis;
mod roll;
mod stand_still;
