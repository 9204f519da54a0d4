//! The operators' console, as a browser sees it: who is let in, and what is shown.

#[cfg(test)]
mod acts;
#[cfg(test)]
#[path = "../common/database.rs"]
mod database;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod door;
#[cfg(test)]
mod entering;
#[cfg(test)]
mod list;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod live;
#[cfg(test)]
mod people;
#[cfg(test)]
mod reconciliation;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod story;
#[cfg(test)]
mod today;
