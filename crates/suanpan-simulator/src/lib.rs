//! A WeChat on your machine: login, payment gateway, payer's phone.
//!
//! WeChat Pay APIv3 has no sandbox, and that of APIv2 knows no mini programs. This
//! is one for both: it checks what the real gateway checks, in its order and with
//! its words, signs what the real one signs, and leaves unsigned what the real one
//! leaves unsigned. Where it refuses, it can say why. And it can be told to fail.
//!
//! | step of a payment    | here                                         |
//! |----------------------|----------------------------------------------|
//! | 1 login              | `login`                                      |
//! | 2, 3 order, prepay   | `gateway::v3`, `gateway::v2`, `gateway::book` |
//! | 4 second sign        | `payer`, `phone`                             |
//! | 5 notify             | `notify`                                     |
//! | when something fails | `faults`, `switches`, `requests`, `rekey`    |
//!
//! It imports nothing of Suanpan but `suanpan-wechat`: to the rest it is the second
//! opinion. It is play money on a loopback address: do not put it on the internet.
//!
//! ```no_run
//! use suanpan_simulator::{Options, Simulator};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::new("sim", "127.0.0.1:0".parse()?);
//! let simulator = Simulator::open(options).await?;
//! let url = simulator.base_url().to_owned();
//! simulator.serve(std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod bill;
mod clock;
mod config_file;
mod control;
mod credentials;
mod dice;
mod error;
mod explain;
mod faults;
mod files;
mod gateway;
mod http;
mod keep;
mod keys;
mod ledger;
mod login;
mod notify;
mod notify_url;
mod outside;
mod payer;
mod phone;
mod refund;
mod registry;
mod rekey;
mod requests;
mod simulator;
mod switches;
mod tls;
mod truth;
mod world;

pub use error::Error;
pub use outside::{Outside, SystemOutside};
pub use simulator::{Options, Shop, Simulator};
