//! The proof from outside: what others computed must come out here, too.
//!
//! The vectors were made with openssl and Python's `cryptography`, never with this
//! crate; `tests/vectors/README.md` tells how. The properties are what must hold
//! for any message.

#[cfg(test)]
mod bills;
#[cfg(test)]
mod common;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod openssl;
#[cfg(test)]
mod out_of_scope;
#[cfg(test)]
mod properties_v2;
#[cfg(test)]
mod properties_v3;
#[cfg(test)]
mod refunds;
#[cfg(test)]
mod second_sign;
#[cfg(test)]
mod v2_answers;
#[cfg(test)]
mod v2_messages;
#[cfg(test)]
mod v2_sign;
#[cfg(test)]
mod v2_xml;
#[cfg(test)]
mod v3_calls;
#[cfg(test)]
mod v3_fields;
#[cfg(test)]
mod v3_key_refresh;
#[cfg(test)]
mod v3_messages;
#[cfg(test)]
mod v3_notifications;
#[cfg(test)]
mod v3_partner;
#[cfg(test)]
mod v3_requests;
#[cfg(test)]
mod v3_sealed;
