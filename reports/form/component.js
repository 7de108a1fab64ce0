// Streamlit's component around the form. A trigger carries everything unconfirmed: one that is lost costs nothing.

let form = null;
const loading = import(new URL("FORM_PATH", location.origin)).then((loaded) => (form = loaded));

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".rate");
  root.latest = data;
  const draw = () => {
    if (!parentElement.querySelector("style")) {
      const style = document.createElement("style");
      style.textContent = form.STYLE;
      parentElement.prepend(style);
    }
    return form.mount({ data: root.latest, root, send: (out) => setTriggerValue("out", out) });
  };
  if (form) return draw();
  let end = null;
  loading.then(() => (end = draw()));
  return () => end?.();
}
