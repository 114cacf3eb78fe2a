//! Service accounts by name, for checks that ask what an account is, and what it may do.

use std::collections::BTreeMap;

use crate::model::{Accounts, Binding, Home, Part, ServiceAccount, Truth, Workload};

/// The accounts of a root and what names them.
#[derive(Default)]
pub(super) struct AccountIndex<'a> {
    accounts: BTreeMap<&'a str, Vec<&'a ServiceAccount>>,
    /// Bindings of single accounts by the account's name, and those of whole groups without one.
    rights: BTreeMap<Option<&'a str>, Vec<(Accounts<'a>, &'a Binding)>>,
}

impl<'a> AccountIndex<'a> {
    /// Indexes what is in force.
    pub(super) fn of(parts: impl Iterator<Item = &'a Part>) -> Self {
        let mut index = Self::default();
        for part in parts {
            for account in &part.service_accounts {
                index.accounts.entry(&account.id.name).or_default().push(account);
            }
            for binding in &part.bindings {
                for accounts in binding.subjects.iter().filter_map(|subject| subject.accounts()) {
                    index.rights.entry(accounts.name).or_default().push((accounts, binding));
                }
            }
        }
        index
    }

    /// The accounts of a name, whatever their namespace.
    pub(super) fn named(&self, name: &str) -> &[&'a ServiceAccount] {
        self.accounts.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every account.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a ServiceAccount> {
        self.accounts.values().flatten().copied()
    }

    /// The account that a workload runs as, and how sure that is.
    pub(super) fn of_workload(&self, workload: &Workload) -> Option<(&'a ServiceAccount, Truth)> {
        let named = self.named(workload.pod.account()).iter();
        best(named.map(|account| (*account, account.home().is(&workload.home()))))
    }

    /// The binding that gives an account a right, and how sure that is.
    pub(super) fn right_of(&self, home: &Home<'_>, name: &str) -> Option<(&'a Binding, Truth)> {
        let rights = [Some(name), None].into_iter().filter_map(|key| self.rights.get(&key));
        best(rights.flatten().map(|(accounts, binding)| (*binding, accounts.holds(home, name))))
    }
}

/// The surest answer, the first of several; none where nothing is possible.
fn best<T>(answers: impl Iterator<Item = (T, Truth)>) -> Option<(T, Truth)> {
    let mut found: Option<(T, Truth)> = None;
    for (answer, truth) in answers.filter(|(_, truth)| *truth != Truth::No) {
        if found.as_ref().is_none_or(|(_, before)| *before < truth) {
            found = Some((answer, truth));
        }
    }
    found
}
