/// What an item weighs where items are bounded by bytes and not by their number.
pub trait Weigh {
    /// The bytes that the item keeps in memory because it is kept, as far as they are its payload.
    ///
    /// Called once an item, when it comes, and outside any lock.
    fn weight_bytes(&self) -> u64;
}
