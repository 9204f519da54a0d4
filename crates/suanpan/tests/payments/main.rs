//! Whole payments: backend, simulator, payer and the merchant's receiver in one process, under one clock.
//!
//! Everything that speaks does so over real HTTP, and every row is in a real database; only the time is ours.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod archived;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod checker;
#[cfg(test)]
#[path = "../../../suanpan-server/tests/common/database.rs"]
mod database;
#[cfg(test)]
mod doubts;
#[cfg(test)]
mod extra;
#[cfg(test)]
mod faults_gateway;
#[cfg(test)]
mod faults_notify;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod logins;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod monitored;
#[cfg(test)]
mod mtls;
#[cfg(test)]
mod paid;
#[cfg(test)]
mod partner;
#[cfg(test)]
mod payers;
#[cfg(test)]
mod races;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod reconciled;
#[cfg(test)]
mod refunds;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod repaired;
#[cfg(test)]
mod second_person;
#[cfg(test)]
mod secrets;
#[cfg(test)]
#[path = "../../../suanpan-simulator/tests/common/seeded.rs"]
mod seeded;
#[cfg(test)]
mod shipping;
#[cfg(test)]
mod shipping_lost;
#[cfg(test)]
mod shipping_once;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod world;
