use super::request_head::RequestHead;

/// The head of a request that came more than once: those of a proxy's streams are mostly the same,
/// byte by byte, as soon as their fields are in the table.
///
/// The same bytes mean the same as long as the table of fields has not changed, and if they do not
/// change it themselves. The bytes of each head are kept, and what they mean when they have come
/// again: heads that differ each time cost one copy of them.
#[derive(Debug, Default)]
pub(super) struct LastHead {
    /// As it came; nothing, if it is not one to be kept.
    coded: Vec<u8>,
    /// How often the table had changed by then.
    table_changes: u64,
    /// None as long as it has come only once.
    head: Option<RequestHead>,
}

/// The longest head that is kept, in bytes as it came.
const KEPT_BYTES: usize = 256;

/// The most fields of one that is kept: what stands in one byte can be long.
const KEPT_FIELDS: usize = 16;

impl LastHead {
    /// What `coded` means, if it is known.
    pub(super) fn get(&self, coded: &[u8], table_changes: u64) -> Option<&RequestHead> {
        let head = self.head.as_ref()?;
        (table_changes == self.table_changes && coded == self.coded).then_some(head)
    }

    /// `coded` means `head`, and has not changed the table.
    pub(super) fn remember(&mut self, coded: &[u8], table_changes: u64, head: &RequestHead) {
        if coded.len() > KEPT_BYTES || head.request.headers().len() > KEPT_FIELDS {
            return;
        }
        if table_changes == self.table_changes && coded == self.coded {
            self.head = Some(head.clone());
            return;
        }
        self.head = None;
        self.coded.clear();
        self.coded.extend_from_slice(coded);
        self.table_changes = table_changes;
    }
}
