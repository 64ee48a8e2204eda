//! Texts that many have in common.

use std::collections::HashSet;
use std::sync::Arc;

/// What a rule says is the same at each of its thousands of places: it is held once.
#[derive(Debug, Default)]
pub struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// Has equal texts be one.
    pub fn share<'a>(&mut self, texts: impl IntoIterator<Item = &'a mut Arc<str>>) {
        for text in texts {
            match self.0.get(text) {
                Some(same) => *text = same.clone(),
                None => drop(self.0.insert(text.clone())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_and_others_stay() {
        let mut given: Vec<Arc<str>> = ["a", "b", "a"].into_iter().map(Into::into).collect();
        let mut texts = Texts::default();
        texts.share(&mut given);
        let mut later: Vec<Arc<str>> = vec!["b".into()];
        texts.share(&mut later);
        assert_eq!(given.iter().map(|text| &**text).collect::<Vec<_>>(), ["a", "b", "a"]);
        assert!(Arc::ptr_eq(&given[0], &given[2]) && Arc::ptr_eq(&given[1], &later[0]));
    }
}
