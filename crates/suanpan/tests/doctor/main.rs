//! `suanpan doctor`: a healthy configuration is left in peace, and each mistake is named by the check it belongs to.

#[cfg(test)]
mod asked;
#[cfg(test)]
mod clinic;
#[cfg(test)]
mod command;
#[cfg(test)]
#[path = "../../../suanpan-server/tests/common/database.rs"]
mod database;
#[cfg(test)]
mod files;
#[cfg(test)]
mod healthy;
#[cfg(test)]
mod pems;
#[cfg(test)]
mod running;
#[cfg(test)]
#[path = "../../../suanpan-simulator/tests/common/seeded.rs"]
mod seeded;
#[cfg(test)]
mod settings;
#[cfg(test)]
#[cfg(unix)]
mod store;
#[cfg(test)]
mod texts;
