//! An exhaustive search, breadth first, so that the way to a broken state is as short as can be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::invariants;
use crate::moves::World;
use crate::state::State;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) states: usize,
    pub(crate) moves: usize,
    /// The first invariant that broke, and the way there.
    pub(crate) broken: Option<Broken>,
    /// How many states have a second payment, so that nobody thinks it was never tried.
    pub(crate) overpaid: usize,
}

#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) what: &'static str,
    pub(crate) way: Vec<String>,
}

/// Visits everything that can be reached from `start`.
pub(crate) fn explore(world: &World, start: State) -> Seen {
    let mut known = HashMap::from([(start, 0_usize)]);
    // Each with the one before it; the names of the moves are made again where they are wanted.
    let mut found = vec![(start, 0_usize)];
    let mut seen = Seen { states: 0, moves: 0, broken: None, overpaid: 0 };
    while let Some((state, _)) = found.get(seen.states).copied() {
        if let Some(what) = invariants::broken(world, &state) {
            seen.broken = Some(Broken { what, way: way(world, &found, seen.states) });
            return seen;
        }
        seen.overpaid += usize::from(0 < state.told_overpaid);
        for (_, next) in world.next(&state) {
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

fn way(world: &World, found: &[(State, usize)], mut to: usize) -> Vec<String> {
    let mut way = Vec::new();
    while to != 0 {
        let (state, from) = found[to];
        let nexts = world.next(&found[from].0);
        way.extend(nexts.into_iter().find(|(_, next)| *next == state).map(|(what, _)| what));
        to = from;
    }
    way.reverse();
    way
}
