// Follows a file as it is written. The words are said to screen readers every tenth percent only.
(() => {
  const box = document.getElementById("export");
  const bar = document.getElementById("export-bar");
  const said = document.getElementById("export-said");
  const file = document.getElementById("export-file");
  const number = new Intl.NumberFormat("en");
  let told = -1;

  const show = (now) => {
    bar.value = now.percent;
    if (now.is_done) {
      said.textContent = `It is written: ${number.format(now.written)} lines.`;
      file.hidden = false;
      return;
    }
    if (Math.floor(now.percent / 10) !== told) {
      told = Math.floor(now.percent / 10);
      said.textContent = `${now.percent} %: ${number.format(now.written)} of ${number.format(now.total)} lines.`;
    }
    setTimeout(ask, 1000);
  };

  const ask = async () => {
    if (document.hidden) {
      document.addEventListener("visibilitychange", ask, { once: true });
      return;
    }
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.json());
    } catch {
      setTimeout(ask, 5000);
    }
  };

  ask();
})();
