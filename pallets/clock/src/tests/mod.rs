mod genesis;
mod roll;
