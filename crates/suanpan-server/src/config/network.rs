//! Who is meant: one address, or all of a network.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;

/// An address such as `127.0.0.1`, or a network such as `10.0.0.0/8`: proxies in a cluster have no address that is known
/// before.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether this address is meant. One of IPv4 that came as IPv6 is to be made IPv4 before.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether it is no address that anybody has, or everybody's.
    pub fn is_unspecified(&self) -> bool {
        self.0.prefix_len() == 0 || self.0.addr().is_unspecified()
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| NoNetwork)
    }
}

impl TryFrom<String> for Network {
    type Error = NoNetwork;

    fn try_from(text: String) -> Result<Self, NoNetwork> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = self.0.prefix_len() == self.0.max_prefix_len();
        if one { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

/// The text is neither an address nor a network.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "应该是 IP 地址，或 10.0.0.0/8 这样的网段 / it should be an IP address, or a network such as 10.0.0.0/8"
)]
pub struct NoNetwork;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one() {
        #[track_caller]
        fn check(network: &str, inside: &[&str], outside: &[&str]) {
            let read: Network = network.parse().unwrap();
            assert_eq!(read.to_string(), network);
            for (addresses, want) in [(inside, true), (outside, false)] {
                for address in addresses {
                    assert_eq!(read.contains(address.parse().unwrap()), want, "{address}");
                }
            }
        }
        check("127.0.0.1", &["127.0.0.1"], &["127.0.0.2", "::1"]);
        check("::1", &["::1"], &["::2", "127.0.0.1"]);
        check("10.0.0.0/8", &["10.0.0.0", "10.255.255.255"], &["11.0.0.0", "9.255.255.255"]);
        check("10.1.2.3/16", &["10.1.0.0", "10.1.255.255"], &["10.2.0.0"]);
        check("fd00::/8", &["fd12::1"], &["fe80::1"]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "tea", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.1:80", "localhost"]
        {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text}");
        }
    }

    #[test]
    fn everybody_is_nobody_to_trust() {
        let unspecified = |text: &str| text.parse::<Network>().unwrap().is_unspecified();
        assert!(["0.0.0.0", "0.0.0.0/0", "::", "::/0"].into_iter().all(unspecified));
        assert!(!["127.0.0.1", "10.0.0.0/8", "fd00::/8"].into_iter().any(unspecified));
    }
}
