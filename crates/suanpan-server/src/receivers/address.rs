//! Which addresses belong to the internet, and not to somebody's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether the address is one of the public internet.
///
/// After IANA's registries of special-purpose addresses. Where an IPv6 address
/// wraps an IPv4 address (mapped, NAT64, 6to4, Teredo) it is refused whatever
/// is inside: somebody else unwraps it, and nobody here sees where it goes.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        // This network, private, loopback.
        (0 | 10 | 127, _, _)
            // Shared by carriers; Alibaba Cloud answers metadata at 100.100.100.200.
            | (100, 64..=127, _)
            // Link-local; most clouds answer metadata at 169.254.169.254.
            | (169, 254, _)
            | (172, 16..=31, _)
            // Protocol assignments and documentation.
            | (192, 0, 0 | 2)
            // Relays of 6to4.
            | (192, 88, 99)
            | (192, 168, _)
            // Benchmarks and documentation.
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            // Multicast, reserved, broadcast.
            | (224..=255, _, _)
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is handed out. Outside of it are loopback, link-local, unique local, multicast, IPv4-mapped
    // (::ffff:0:0/96) and NAT64 (64:ff9b::/96); inside of it, these are not the internet either:
    let special = matches!(
        (a, b),
        // Protocol assignments, Teredo among them; documentation.
        (0x2001, 0..=0x01ff | 0x0db8)
            // 6to4.
            | (0x2002, _)
            // Documentation.
            | (0x3fff, 0..=0x0fff)
    );
    matches!(a, 0x2000..=0x3fff) && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(addresses: &[&str], public: bool) {
        for address in addresses {
            let ip = address.parse().unwrap();
            assert_eq!(is_public(ip), public, "{address}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        check(&["1.1.1.1", "8.8.8.8", "81.69.104.1", "100.63.255.255", "100.128.0.0"], true);
        check(
            &["172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.1.1", "223.255.255.255"],
            true,
        );
        check(&["2400:3200::1", "2606:4700:4700::1111", "2001:4860:4860::8888", "240e::1"], true);
    }

    #[test]
    fn everything_else_is_not() {
        check(&["0.0.0.0", "0.1.2.3", "10.0.0.1", "127.0.0.1", "127.255.255.254"], false);
        check(&["100.64.0.1", "100.100.100.200", "169.254.169.254", "172.16.0.1"], false);
        check(&["172.31.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1"], false);
        check(&["198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9"], false);
        check(&["224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"], false);
    }

    #[test]
    fn an_address_inside_an_address_is_not() {
        check(&["::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8"], false);
        check(&["64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001::1"], false);
        check(&["100::1", "2001:2::1", "2001:db8::1", "3fff::1", "5f00::1"], false);
        check(&["fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1"], false);
    }
}
