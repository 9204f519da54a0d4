//! What somebody signed instead: a signature that does not match is searched for its mistake.
//!
//! A gateway says `签名错误` and no more. But all that goes into a signature is
//! known, and so are the mistakes that people make; so each of them is made on
//! purpose, alone and in pairs, until one gives the signature in hand. What is
//! found that way is proven: no other text has this digest.
//!
//! A signature of RSA is read backwards with the public key ([`PublicKey`] only,
//! nothing secret): that gives the digest that was signed, so a search costs one
//! digest a guess, and says besides whether the key was the right one.
//!
//! ```
//! use suanpan_wechat::mistakes::{KeyKind, Keys, Message, Verdict, examine};
//! use suanpan_wechat::v2::SignType;
//!
//! let fields = [("appid", "wx1"), ("body", "tea & more"), ("total_fee", "990")];
//! let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
//! let message = Message::Fields { fields, sign_type: SignType::Md5 };
//! let mut keys = Keys::new();
//! keys.secret(KeyKind::ApiV2, "1900000109", "8934e7d15453e97507ef794cf7b0519d");
//!
//! let examined = examine(&message, &keys, "0F6CAD2F2BD0F9D0A76BD1D8A1E4B1A6");
//! assert!(matches!(examined.verdict, Verdict::Unknown { .. }));
//! ```
//!
//! | what                                    | file        |
//! |-----------------------------------------|-------------|
//! | the message, and its keys               | `message`   |
//! | how a signature is written              | `proof`     |
//! | a text on its way to a digest           | `draft`     |
//! | mistakes in names and values            | `pairs`     |
//! | mistakes in lines                       | `lines`     |
//! | mistakes in a request, a body, a time   | `request`, `body`, `json` |
//! | mistakes of the second sign             | `payment`   |
//! | mistakes with keys and digests          | `roots`     |
//! | the words for all of them               | `table`     |
//! | the search                              | `search`    |
//!
//! [`PublicKey`]: crate::v3::PublicKey

mod body;
mod draft;
mod json;
mod lines;
mod message;
mod pairs;
mod payment;
mod proof;
mod request;
mod roots;
mod search;
mod table;

pub use message::{KeyKind, Keys, Message};
pub use search::{Examined, Found, Verdict, examine, sign, signs, text_to_sign};
pub use table::{Mistake, Words, all};
