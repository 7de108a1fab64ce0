// What must survive a reload, a crash and a lost connection: drafts, and events that the server has not confirmed.
// Every event is an entry of its own, so that two tabs never overwrite one another.

function openStorage(key) {
  const prefix = `rate:${key}:`;
  const memory = new Map(); // where the browser refuses to store anything

  const names = () => {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(prefix));
    } catch {
      return [...memory.keys()];
    }
  };
  const get = (name) => {
    let text = memory.get(prefix + name);
    try {
      text = localStorage.getItem(prefix + name) ?? text;
    } catch {
      // memory has it
    }
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  };
  const put = (name, value) => {
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(prefix + name, text);
      memory.delete(prefix + name);
    } catch {
      memory.set(prefix + name, text);
    }
  };
  const remove = (name) => {
    memory.delete(prefix + name);
    try {
      localStorage.removeItem(prefix + name);
    } catch {
      // it was never stored
    }
  };

  return {
    key,
    get,
    put,
    draft: (aid) => get(`draft:${aid}`),
    putDraft: (aid, draft) => put(`draft:${aid}`, draft),
    removeDraft: (aid) => remove(`draft:${aid}`),
    // Judgements that wait for the server's confirmation, oldest first.
    waiting: () =>
      [...new Set([...names(), ...memory.keys()])]
        .filter((name) => name.startsWith(`${prefix}out:`))
        .map((name) => get(name.slice(prefix.length)))
        .filter(Boolean)
        .sort((one, other) => one.rev - other.rev),
    putWaiting: (event) => put(`out:${event.id}`, event),
    confirm: (id) => remove(`out:${id}`),
  };
}
