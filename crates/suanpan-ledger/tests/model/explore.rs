//! An exhaustive search, breadth first, so that the way to a broken state is as short as can be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// What is searched.
pub(crate) trait Machine {
    type State: Copy + Eq + Hash;

    /// Everything that can happen now, with a name.
    fn next(&self, state: &Self::State) -> Vec<(String, Self::State)>;

    /// The first invariant that does not hold.
    fn broken(&self, state: &Self::State) -> Option<&'static str>;

    /// Whether it is a state that the search was made for, so that nobody thinks it was never tried.
    fn is_rare(&self, state: &Self::State) -> bool;
}

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) states: usize,
    pub(crate) moves: usize,
    /// The first invariant that broke, and the way there.
    pub(crate) broken: Option<Broken>,
    pub(crate) rare: usize,
}

#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) what: &'static str,
    pub(crate) way: Vec<String>,
}

/// Visits everything that can be reached from `start`.
pub(crate) fn explore<M: Machine>(machine: &M, start: M::State) -> Seen {
    let mut known = HashMap::from([(start, 0_usize)]);
    // Each with the one before it; the names of the moves are made again where they are wanted.
    let mut found = vec![(start, 0_usize)];
    let mut seen = Seen { states: 0, moves: 0, broken: None, rare: 0 };
    while let Some((state, _)) = found.get(seen.states).copied() {
        if let Some(what) = machine.broken(&state) {
            seen.broken = Some(Broken { what, way: way(machine, &found, seen.states) });
            return seen;
        }
        seen.rare += usize::from(machine.is_rare(&state));
        for (_, next) in machine.next(&state) {
            seen.moves += 1;
            if let Entry::Vacant(place) = known.entry(next) {
                place.insert(found.len());
                found.push((next, seen.states));
            }
        }
        seen.states += 1;
    }
    seen
}

fn way<M: Machine>(machine: &M, found: &[(M::State, usize)], mut to: usize) -> Vec<String> {
    let mut way = Vec::new();
    while to != 0 {
        let (state, from) = found[to];
        let nexts = machine.next(&found[from].0);
        way.extend(nexts.into_iter().find(|(_, next)| *next == state).map(|(what, _)| what));
        to = from;
    }
    way.reverse();
    way
}
