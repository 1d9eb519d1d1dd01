// Says which field is missing before a form is sent.
for (const form of document.querySelectorAll('form[data-validate]')) {
  form.noValidate = true;
  form.addEventListener('submit', (event) => {
    const wrong = [...form.elements].find((field) => field.willValidate && !field.checkValidity());
    const problem = form.querySelector('.problem');
    for (const field of form.elements) field.removeAttribute('aria-invalid');
    problem.hidden = !wrong;
    if (!wrong) return;
    event.preventDefault();
    wrong.setAttribute('aria-invalid', 'true');
    problem.textContent = `${wrong.labels[0].textContent}: ${wrong.validationMessage}`;
    wrong.focus();
  });
}
