/// One part of the way to a place in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PlacePart {
    /// Into a map, to the value under this key.
    Key(String),
    /// Into a list, to the item with this number, from 0.
    Index(usize),
}
