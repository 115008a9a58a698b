//! Where the boxes of a graph are: what is depended on above what depends on it.

use std::collections::BTreeMap;

/// The size of a box.
pub(super) const NODE_WIDTH: usize = 148;
pub(super) const NODE_HEIGHT: usize = 54;
/// Between two boxes of a row, and between two rows.
const BESIDE: usize = 18;
const BELOW: usize = 34;
/// Around all of it.
const MARGIN: usize = 2;

/// Places for boxes.
pub(super) struct Layout<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    places: BTreeMap<&'a str, (usize, usize)>,
}

impl<'a> Layout<'a> {
    /// Places for `names` in no more than so many columns.
    pub(super) fn new(
        names: impl Iterator<Item = &'a str>,
        edges: &[(&'a str, &'a str)],
        columns: usize,
    ) -> Self {
        let layers = layers(names, edges);
        // A layer that is too wide goes on in the next row.
        let rows: Vec<&[&str]> = layers.iter().flat_map(|layer| layer.chunks(columns)).collect();
        let widest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let span = |boxes: usize| boxes * (NODE_WIDTH + BESIDE) - BESIDE.min(boxes * BESIDE);
        let width = span(widest) + 2 * MARGIN;
        let mut places = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let indent = (width - span(row.len())) / 2;
            for (column, name) in row.iter().enumerate() {
                let x = indent + column * (NODE_WIDTH + BESIDE);
                places.insert(*name, (x, MARGIN + at * (NODE_HEIGHT + BELOW)));
            }
        }
        let height = (rows.len() * (NODE_HEIGHT + BELOW)).saturating_sub(BELOW) + 2 * MARGIN;
        Self { width, height, places }
    }

    /// The upper left corner of a box.
    pub(super) fn place(&self, name: &str) -> Option<(usize, usize)> {
        self.places.get(name).copied()
    }
}

/// The names by how long the longest way to them is. A circle, which no pipeline has, ends in the last layer
/// that it was pushed to.
fn layers<'a>(
    names: impl Iterator<Item = &'a str>,
    edges: &[(&'a str, &'a str)],
) -> Vec<Vec<&'a str>> {
    let mut depth: BTreeMap<&str, usize> = names.map(|name| (name, 0)).collect();
    for _ in 0..depth.len() {
        let mut has_moved = false;
        for (from, to) in edges {
            let wanted = depth.get(from).copied().unwrap_or(0) + 1;
            if let Some(own) = depth.get_mut(to)
                && *own < wanted
            {
                *own = wanted;
                has_moved = true;
            }
        }
        if !has_moved {
            break;
        }
    }
    let deepest = depth.values().max().map_or(0, |deepest| deepest + 1);
    let mut layers: Vec<Vec<&str>> = vec![Vec::new(); deepest];
    for (name, at) in depth {
        layers[at].push(name);
    }
    layers.retain(|layer| !layer.is_empty());
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_depended_on_is_above() {
        let names = ["app", "base", "cart", "docs"];
        let edges = [("base", "cart"), ("cart", "app"), ("base", "app")];
        assert_eq!(
            layers(names.into_iter(), &edges),
            [vec!["base", "docs"], vec!["cart"], vec!["app"]]
        );
        let layout = Layout::new(names.into_iter(), &edges, 5);
        assert_eq!((layout.width, layout.height), (318, 234));
        let y = |name| layout.place(name).unwrap().1;
        assert!(y("base") < y("cart") && y("cart") < y("app") && y("docs") == y("base"));
    }

    #[test]
    fn a_wide_layer_is_folded_for_a_phone() {
        let names = ["a", "b", "c"];
        let layout = Layout::new(names.into_iter(), &[], 2);
        assert!(layout.width < 340, "{}", layout.width);
        assert!(layout.place("c").unwrap().1 > layout.place("a").unwrap().1);
    }

    #[test]
    fn a_circle_has_an_end() {
        let names = ["a", "b"];
        let edges = [("a", "b"), ("b", "a")];
        assert_eq!(layers(names.into_iter(), &edges).concat().len(), 2);
    }
}
