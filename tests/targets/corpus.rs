//! The file that a target's corpus is kept in: its cases one behind the other, each with its length
//! before it (two bytes, the lower one first).

/// The cases of a file.
///
/// # Errors
///
/// If the last case is cut.
pub(crate) fn unpack(mut file: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut cases = Vec::new();
    while !file.is_empty() {
        let cut = || format!("case {} is cut", cases.len());
        let (len, rest) = file.split_first_chunk::<2>().ok_or_else(cut)?;
        let len = usize::from(u16::from_le_bytes(*len));
        let (case, rest) = rest.split_at_checked(len).ok_or_else(cut)?;
        cases.push(case);
        file = rest;
    }
    Ok(cases)
}

/// The file of `cases`: the shortest first, none twice.
///
/// # Errors
///
/// If a case is too long for its length.
pub(crate) fn pack(mut cases: Vec<Vec<u8>>) -> Result<Vec<u8>, String> {
    cases.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    cases.dedup();
    let mut file = Vec::new();
    for case in cases {
        let len = u16::try_from(case.len()).map_err(|_| format!("{} bytes", case.len()))?;
        file.extend(len.to_le_bytes());
        file.extend(case);
    }
    Ok(file)
}
