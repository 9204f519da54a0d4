//! Asks WeChat: an async client of WeChat Pay and of the mini program platform.
//!
//! [`suanpan_wechat`] says what a call is and how it is signed; this crate moves
//! the bytes, and says honestly what is known afterwards:
//!
//! | [`Outcome`]  | what happened               | what to do                                         |
//! |--------------|-----------------------------|----------------------------------------------------|
//! | [`Done`]     | WeChat did it, and proved it | go on                                             |
//! | [`Rejected`] | WeChat said no: it is not done | correct the question, or give up                |
//! | [`Unknown`]  | nobody here can tell        | ask WeChat (query), or repeat under the same number |
//!
//! Nothing is repeated behind the caller's back once it may have reached WeChat.
//! There are two exceptions, both safe: a host that cannot be connected to is
//! passed over for the next one, and an answer that WeChat signed wrongly on
//! purpose (a probe) is asked for once more. Each try is signed anew.
//!
//! ```no_run
//! use suanpan_client::wechat::{AppId, AppSecret, CodeToSession, LoginCode};
//! use suanpan_client::{Client, Outcome};
//!
//! # async fn login() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().build()?; // cheap to clone; keep one
//! let call = CodeToSession {
//!     app_id: &AppId::parse("wx2421b1c4370ec43b")?,
//!     secret: &AppSecret::parse(&std::env::var("WECHAT_APP_SECRET")?)?,
//!     code: &LoginCode::parse("0b3xyz")?, // what wx.login gave
//! };
//!
//! match client.call(&call).await {
//!     Outcome::Done(done) => println!("hello {}", done.answer.openid.masked()),
//!     Outcome::Rejected(no) => println!("{no}: {}", no.remedy()),
//!     Outcome::Unknown(doubt) => println!("{doubt}: {}", doubt.remedy()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Done`]: Outcome::Done
//! [`Rejected`]: Outcome::Rejected
//! [`Unknown`]: Outcome::Unknown

mod builder;
mod client;
mod download;
mod error;
mod host;
mod outcome;
mod outside;
mod reach;
mod wire;

pub use builder::Builder;
pub use client::Client;
pub use error::Error;
pub use outcome::{Done, Doubt, NotDone, Outcome, Rejection, Trace};
pub use outside::{Outside, SystemOutside};
pub use reach::{Greeting, Knock};
/// The calls, their answers and the keys.
pub use suanpan_wechat as wechat;
pub use wire::{Exchange, Wire};
