mod drain;
mod genesis;
mod inspect;
mod invariants;
mod register_device;
mod retire_device;
mod set_agent_key;
mod update_device;
