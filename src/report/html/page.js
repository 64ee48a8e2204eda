'use strict';
(() => {
  const bar = document.querySelector('.filter');
  if (!bar) return;
  bar.hidden = false;
  const search = bar.querySelector('input[type=search]');
  const boxes = [...bar.querySelectorAll('input[type=checkbox]')];
  const shown = bar.querySelector('output');
  const files = [...document.querySelectorAll('section.file')].map((section) => {
    const path = section.querySelector('h3').textContent.toLowerCase();
    const findings = [...section.querySelectorAll('article')].map((article) => ({ article, level: article.dataset.level, places: Number(article.dataset.places), text: null }));
    return { section, path, findings };
  });
  const total = files.flatMap((file) => file.findings).reduce((sum, finding) => sum + finding.places, 0);

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const levels = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let left = 0;
    for (const file of files) {
      let visible = false;
      for (const finding of file.findings) {
        let match = levels.has(finding.level);
        if (match && words.length) {
          finding.text ??= file.path + ' ' + finding.article.textContent.toLowerCase();
          match = words.every((word) => finding.text.includes(word));
        }
        finding.article.classList.toggle('hide', !match);
        if (match) {
          visible = true;
          left += finding.places;
        }
      }
      file.section.classList.toggle('hide', !visible);
    }
    shown.textContent = (left === total ? '' : left + ' of ') + total + (total === 1 ? ' finding' : ' findings');
  };

  const move = (step) => {
    const articles = files.flatMap((file) => file.findings).map((finding) => finding.article).filter((a) => !a.classList.contains('hide'));
    if (!articles.length) return;
    const now = articles.indexOf(document.activeElement);
    const next = now === -1 ? (step > 0 ? 0 : articles.length - 1) : Math.min(Math.max(now + step, 0), articles.length - 1);
    articles[next].focus({ preventScroll: true });
    articles[next].scrollIntoView({ block: 'center' });
  };

  let timer;
  search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(apply, 80); });
  for (const box of boxes) box.addEventListener('change', apply);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      search.value = '';
      for (const box of boxes) box.checked = true;
      apply();
      search.blur();
    } else if (event.target !== search) {
      const box = boxes['1234'.indexOf(event.key)];
      if (event.key === '/') { event.preventDefault(); search.focus(); }
      else if (event.key === 'j') move(1);
      else if (event.key === 'k') move(-1);
      else if (event.key.length === 1 && box) { box.checked = !box.checked; apply(); }
    }
  });
  apply();
})();
